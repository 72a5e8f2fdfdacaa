//! Signature Version 4, by which AWS knows who sent a request; the secret itself is never sent.
//!
//! Only what requests to IAM and STS need: paths and queries come in their canonical form.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use secrets::hex;

/// The name of the procedure.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What is signed.
pub(super) struct Request<'a> {
    /// The method, in upper case.
    pub(super) method: &'a str,
    /// The path, encoded, from its first `/` on.
    pub(super) path: &'a str,
    /// The query, encoded and sorted, without `?`.
    pub(super) query: &'a str,
    /// The headers, their names in lower case and sorted; `host` and `x-amz-date` are among them.
    pub(super) headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub(super) body: &'a [u8],
}

/// What a signature is good for.
pub(super) struct Scope<'a> {
    /// When, as the header `x-amz-date` says it: `20150830T123600Z`.
    pub(super) time: &'a str,
    /// Where.
    pub(super) region: &'a str,
    /// What for.
    pub(super) service: &'a str,
}

/// The header `Authorization` of `request`, by the key `id` with its `secret`.
pub(super) fn authorization(
    request: &Request<'_>,
    scope: &Scope<'_>,
    id: &str,
    secret: &SecretString,
) -> String {
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let place = [scope.day(), scope.region, scope.service, "aws4_request"].join("/");
    let canonical = hex(&Sha256::digest(canonical(request, &names)));
    let to_sign = [ALGORITHM, scope.time, &place, &canonical].join("\n");
    let first = Zeroizing::new(["AWS4", secret.expose_secret()].concat());
    let mut key = mac(first.as_bytes(), scope.day());
    for part in [scope.region, scope.service, "aws4_request"] {
        key = mac(&*key, part);
    }
    let signature = hex(&*mac(&*key, &to_sign));
    format!("{ALGORITHM} Credential={id}/{place}, SignedHeaders={names}, Signature={signature}")
}

impl Scope<'_> {
    fn day(&self) -> &str {
        self.time.split('T').next().unwrap_or_default()
    }
}

/// The request as both sides write it down before they sign it.
fn canonical(request: &Request<'_>, names: &str) -> String {
    let header = |(name, value): &(&str, &str)| {
        let words: Vec<&str> = value.split_ascii_whitespace().collect();
        format!("{name}:{}\n", words.join(" "))
    };
    let headers: String = request.headers.iter().map(header).collect();
    let body = hex(&Sha256::digest(request.body));
    [request.method, request.path, request.query, &headers, names, &body].join("\n")
}

fn mac(key: &[u8], text: &str) -> Zeroizing<[u8; 32]> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        unreachable!("a key of HMAC may have any length (RFC 2104, 2)")
    };
    mac.update(text.as_bytes());
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// `text` as it stands in a query or a form (RFC 3986, 2.1).
pub(super) fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "20150830T123600Z";

    /// The keys of the suite of test vectors that AWS publishes for Signature Version 4 (aws-sig-v4-test-suite).
    fn signed(request: &Request<'_>, service: &str) -> String {
        let scope = Scope { time: TIME, region: "us-east-1", service };
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into();
        authorization(request, &scope, "AKIDEXAMPLE", &secret)
    }

    #[test]
    fn the_published_vectors_are_met() {
        let check = |method: &str, query: &str, added: &[(&str, &str)], body: &str, want: &str| {
            let mut headers = vec![("host", "example.amazonaws.com"), ("x-amz-date", TIME)];
            headers.extend(added);
            headers.sort_unstable();
            let request = Request { method, path: "/", query, headers: &headers, body: body.as_bytes() };
            let got = signed(&request, "service");
            assert_eq!(got.rsplit_once('=').unwrap().1, want, "{got}");
        };
        let form = "application/x-www-form-urlencoded";
        // get-vanilla, get-vanilla-query-order-key-case, get-header-value-trim
        check("GET", "", &[], "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
        check(
            "GET",
            "Param1=value1&Param2=value2",
            &[],
            "",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        );
        check(
            "GET",
            "",
            &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            "",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        );
        // post-vanilla, post-vanilla-query, post-header-key-case, post-header-value-case
        check("POST", "", &[], "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
        check(
            "POST",
            "Param1=value1",
            &[],
            "",
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        );
        check(
            "POST",
            "",
            &[("my-header1", "value1")],
            "",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        );
        check(
            "POST",
            "",
            &[("my-header1", "VALUE1")],
            "",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        );
        // post-x-www-form-urlencoded
        check(
            "POST",
            "",
            &[("content-type", form)],
            "Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        );
    }

    #[test]
    fn the_example_of_the_manual_is_met() {
        // "Create a signed AWS API request" in the IAM user guide: ListUsers.
        let headers = [
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", TIME),
        ];
        let query = "Action=ListUsers&Version=2010-05-08";
        let request = Request { method: "GET", path: "/", query, headers: &headers, body: b"" };
        assert_eq!(
            signed(&request, "iam"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }

    #[test]
    fn only_unreserved_characters_stand_for_themselves() {
        assert_eq!(encoded("aZ09-._~/+ ä"), "aZ09-._~%2F%2B%20%C3%A4");
    }
}
