//! The places of a whole system, below a folder: what runs there may write `/etc/shop/app.json`.

use std::path::Path;

/// What lies below the folder instead of below `/`.
const PLACES: &[&str] = &["/etc/", "/run/", "/srv/", "/usr/local/", "/var/"];

/// `text` with those places below `root`. A path that goes on from something, as `$HOME/etc/x` does, stays.
pub(super) fn within(text: &str, root: &Path) -> String {
    let root = root.display().to_string();
    let mut moved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('/') {
        let (before, path) = rest.split_at(at);
        moved.push_str(before);
        let goes_on = moved.ends_with(|c: char| c.is_ascii_alphanumeric() || "._-}~/".contains(c));
        if !goes_on && PLACES.iter().any(|place| path.starts_with(place)) {
            moved.push_str(&root);
        }
        let end = 1 + path[1..]
            .find(|c: char| !c.is_ascii_alphanumeric() && !"._-/".contains(c))
            .unwrap_or(path.len() - 1);
        moved.push_str(&path[..end]);
        rest = &path[end..];
    }
    moved + rest
}

/// `text` as it would be on a system of its own.
pub(super) fn without(text: &str, root: &Path) -> String {
    text.replace(&root.display().to_string(), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_the_places_of_a_system_is_moved() {
        let check = |text: &str, want: &str| {
            let moved = within(text, Path::new("/root-of"));
            assert_eq!(moved, want, "{text}");
            assert_eq!(without(&moved, Path::new("/root-of")), text);
        };
        check("cat /etc/a /var/log/b.log*", "cat /root-of/etc/a /root-of/var/log/b.log*");
        check("path = \"/srv/{{ env }}/x\"", "path = \"/root-of/srv/{{ env }}/x\"");
        check("-o/run/x >/var/y;s|/etc/z||", "-o/run/x >/root-of/var/y;s|/root-of/etc/z||");
        check("$HOME/etc/x a/etc/x /tmp/etc/x ${H}/etc/x", "$HOME/etc/x a/etc/x /tmp/etc/x ${H}/etc/x");
        check(
            "/bin/sh -c true /usr/local/bin/x https://etc/x",
            "/bin/sh -c true /root-of/usr/local/bin/x https://etc/x",
        );
        check("a /", "a /");
    }
}
