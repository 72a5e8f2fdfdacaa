//! `postgres`: two roles that take turns, since a role has one password.
//!
//! The role that is not in use gets a new password and may log in; later the other one may no more. Both
//! need the same rights, by a role that cannot log in and that both are members of; what they own would be
//! out of reach for the other one. The server is given what SCRAM makes of a password, so that the password
//! itself is in no log. One `address`, that of the primary: roles are replicated with everything else.
//!
//! The administrator needs CREATEROLE (from PostgreSQL 16 on also both roles, `WITH ADMIN OPTION`) and
//! membership in `pg_signal_backend`.

mod auth;
mod client;
mod roles;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::Result;
use common::answer::Answer;
use postgres_protocol::escape::escape_literal;
use postgres_protocol::password::scram_sha_256;
use secrecy::{ExposeSecret, SecretString};
use secrets::Source;
use specs::Table;

use self::client::{Client, Server, Trouble};
use self::roles::Role;
use super::wire::{self, Address, Fault, Tls, Told, Trust};
use super::{Context, Key, Maker, Place, Provider, Usage, random};
use crate::credential::{Credential, Fields};

/// What the spec says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    address: Address,
    database: String,
    roles: [String; 2],
    admin: String,
    /// Without one the server is to know the administrator otherwise (`peer`).
    admin_password: Option<Source>,
    /// Whether there must be TLS.
    tls: Option<(Tls, bool)>,
}

/// The longest name of a role (`NAMEDATALEN` of PostgreSQL, less one); a longer one is cut off.
const LONGEST: usize = 63;

/// How long to wait before it is looked again whether sessions have ended.
const PAUSE: Duration = Duration::from_millis(20);

impl Config {
    /// Reads `[provider]`.
    pub(crate) fn read(mut table: Table<'_>) -> Option<Self> {
        let line = table.line_of("address");
        let mut address = Address::read(&mut table);
        if address.len() > 1 {
            table.fault(line, "`provider.address` is to be one: that of the primary");
        }
        let database = table.text("database").unwrap_or_else(|| "postgres".to_owned());
        let line = table.line_of("roles");
        table.must("roles");
        let roles = table.texts("roles").and_then(|roles| <[String; 2]>::try_from(roles).ok());
        let is_role = |role: &String| !role.is_empty() && role.len() <= LONGEST;
        let roles = roles.filter(|roles| roles.iter().all(is_role) && roles[0] != roles[1]);
        let admin_line = table.line_of("admin");
        let admin = table.needed("admin");
        match &roles {
            None => table.fault(line, "`provider.roles` is to be the names of two roles, which take turns"),
            Some(roles) if roles.contains(&admin) => {
                table.fault(admin_line, "`provider.admin`: a role that takes turns cannot end its own");
            }
            Some(_) => {}
        }
        let admin_password = table.source("admin_password");
        let mode = table.choice("sslmode", &["disable", "prefer", "require", "verify-full"]).unwrap_or(1);
        let trust = [None, Some(Trust::Anybody), Some(Trust::Anybody), Some(Trust::Verified)][mode];
        let tls = Tls::read(&mut table, trust).map(|tls| (tls, mode > 1));
        table.finish();
        Some(Self { address: address.pop()?, database, roles: roles?, admin, admin_password, tls })
    }

    /// The target.
    ///
    /// # Errors
    /// When the password of the administrator, or a file for TLS, cannot be read.
    pub(crate) fn build(&self, place: &Place<'_>) -> Result<Box<dyn Provider>> {
        let tls = self.tls.as_ref().map(|(tls, must)| tls.connector().map(|connector| (connector, *must)));
        let server = Server {
            address: self.address.clone(),
            tls: tls.transpose()?,
            timeout: place.timeout,
            database: self.database.clone(),
        };
        Ok(Box::new(Postgres {
            server,
            roles: self.roles.clone(),
            admin: self.admin.clone(),
            admin_password: self.admin_password.as_ref().map(Source::read).transpose()?,
        }))
    }
}

/// The server, and the roles.
struct Postgres {
    server: Server,
    roles: [String; 2],
    admin: String,
    admin_password: Option<SecretString>,
}

impl Postgres {
    /// What comes of `ask` in a session of the administrator.
    fn administer<T>(&self, ask: impl FnOnce(&mut Client) -> Told<T>) -> Answer<T> {
        let admitted = self.server.log_in(&self.admin, self.admin_password.as_ref()).map_err(Fault::from);
        let told = admitted.and_then(|mut client| {
            // A yes means durable; and what we gave up is not to happen later.
            let limit = self.server.timeout.as_millis().clamp(1, i32::MAX as u128);
            client.query(&format!(
                "SELECT set_config('synchronous_commit', 'on', false) \
                 WHERE current_setting('synchronous_commit') = 'off'; SET statement_timeout = {limit}"
            ))?;
            ask(&mut client)
        });
        wire::answer(told).at(&self.server.address.to_string())
    }

    /// The role that takes over from `role`, or from which it takes over.
    fn other(&self, role: &str) -> &str {
        if self.roles[0] == role { &self.roles[1] } else { &self.roles[0] }
    }

    /// The role that gets the next password.
    fn next(&self, old: Option<&Credential>) -> &str {
        old.map_or(&self.roles[0], |old| self.other(&old.id))
    }

    fn is_ours(&self, role: &str) -> Told {
        let is_ours = self.roles.iter().any(|ours| ours == role);
        is_ours.then_some(()).ok_or_else(|| Fault::No(format!("{role} is none of the roles that take turns")))
    }

    /// The statements before `role` can get a password: none, or those that make it like the other one. A
    /// no says why it cannot take the other one's place.
    fn prepared(&self, client: &mut Client, role: &str) -> Told<Option<String>> {
        let other = self.other(role);
        let (ours, theirs) = (Role::get(client, role)?, Role::get(client, other)?);
        match (ours, theirs) {
            (Some(ours), Some(theirs)) => match theirs.differs(other, (role, &ours)) {
                Some(difference) => Err(Fault::No(difference)),
                None => Ok(None),
            },
            (None, Some(theirs)) => match theirs.is_unique(other) {
                Some(reason) => Err(Fault::No(reason)),
                None => Ok(Some(theirs.copied(client, other, role)?)),
            },
            (_, None) => {
                Err(Fault::No(format!("there is no role {other}; make it, with the rights it needs")))
            }
        }
    }

    /// That nobody uses the role which is to get a new password.
    fn is_free(client: &mut Client, name: &str) -> Told {
        let Some(role) = Role::get(client, name)? else { return Ok(()) };
        if role.can_log_in && role.sessions > 0 {
            let sessions = role.sessions;
            return Err(Fault::No(format!(
                "{name} is the role whose turn is next, and it is in use ({sessions} sessions); its password \
                 would change under them"
            )));
        }
        if role.is_enabled() {
            return Err(Fault::No(format!(
                "{name} is the role whose turn is next, and somebody can log in as it; when nobody does, \
                 ALTER ROLE {name} NOLOGIN"
            )));
        }
        Ok(())
    }

    fn is_ready(&self, client: &mut Client, old: Option<&Credential>) -> Told {
        let rows = client
            .query("SELECT current_setting('server_version_num')::int >= 100000, pg_is_in_recovery()")?;
        let facts: Vec<_> = rows.first().into_iter().flatten().map(Option::as_deref).collect();
        if facts.first() != Some(&Some("t")) {
            return Err(Fault::No("PostgreSQL is older than 10, and knows no SCRAM".into()));
        }
        if facts.get(1) != Some(&Some("f")) {
            return Err(Fault::No("it is a standby; give the address of the primary".into()));
        }
        let next = self.next(old);
        self.prepared(client, next)?;
        Self::is_free(client, next)?;
        if old.is_none() {
            // Nobody holds a key that is known, so that whoever uses the other role is unknown, too.
            Self::is_free(client, self.other(next))?;
        }
        for role in &self.roles {
            if Role::get(client, role)?.is_some() {
                roles::may_alter(client, role)?;
            }
        }
        roles::may_end_sessions(client)
    }

    fn end(&self, client: &mut Client, role: &str) -> Told {
        let begun = Instant::now();
        loop {
            let left = roles::end_sessions(client, role)?;
            if left == 0 {
                return Ok(());
            }
            if begun.elapsed() > self.server.timeout {
                return Err(Fault::Unknown(format!("{left} sessions of {role} have not ended")));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Has the role log in no more, with `words` about its password, and ends its sessions; that there is
    /// no such role will do.
    fn shut_out(&self, role: &str, words: &str) -> Answer {
        self.administer(|client| {
            self.is_ours(role)?;
            if Role::get(client, role)?.is_some() {
                roles::alter(client, role, words)?;
            }
            self.end(client, role)
        })
    }

    /// Whether the role can log in, and not with the password that we made: its own is somebody else's.
    fn is_of_another(&self, ours: &Credential) -> Told<bool> {
        match self.logged_in(ours) {
            Ok(()) => return Ok(false),
            Err(Fault::No(_)) => {}
            Err(unknown) => return Err(unknown),
        }
        let enabled = self.administer(|client| {
            let role = Role::get(client, &ours.id)?;
            Ok(role.is_some_and(|role| role.is_enabled()))
        });
        match enabled {
            Answer::Yes(is_enabled) => Ok(is_enabled),
            Answer::No(why) => Err(Fault::No(why)),
            Answer::Unknown(why) => Err(Fault::Unknown(why)),
        }
    }

    fn logged_in(&self, credential: &Credential) -> Told {
        let refused = |trouble: Trouble| match trouble {
            // What is refused is this user with this password, or that it comes in here.
            Trouble::Refused(code, why) if matches!(code.as_str(), "28P01" | "28000" | "42501") => {
                Fault::No(format!("{} is refused: {why}", credential.id))
            }
            Trouble::Refused(_, why) | Trouble::Fault(Fault::No(why) | Fault::Unknown(why)) => {
                Fault::Unknown(format!("cannot log in as {}: {why}", credential.id))
            }
        };
        let mut client = self.server.log_in(&credential.id, Some(&credential.secret)).map_err(refused)?;
        let rows = client.query("SELECT session_user").map_err(refused)?;
        match rows.first().and_then(|row| row.first()?.as_deref()) {
            Some(user) if user == credential.id => Ok(()),
            user => {
                let user = user.unwrap_or("nobody");
                Err(Fault::No(format!("the session is one of {user}, not of {}", credential.id)))
            }
        }
    }
}

/// `role` with `secret`.
fn credential(role: &str, secret: SecretString) -> Credential {
    let public = BTreeMap::from([("user".to_owned(), role.to_owned())]);
    Credential { id: role.to_owned(), secret, public }
}

impl Provider for Postgres {
    fn maker(&self) -> Maker {
        Maker::Ours
    }

    fn ready(&mut self, context: &Context<'_>) -> Answer {
        self.administer(|client| self.is_ready(client, context.old))
    }

    fn make(&mut self, old: Option<&Credential>) -> Answer<Credential> {
        Answer::Yes(credential(self.next(old), random::password()))
    }

    fn list(&mut self, _context: &Context<'_>) -> Answer<Vec<Key>> {
        self.administer(|client| {
            let mut keys = Vec::new();
            for name in &self.roles {
                if let Some(role) = Role::get(client, name)? {
                    keys.push(Key { id: name.clone(), is_enabled: role.is_enabled(), made: None });
                }
            }
            Ok(keys)
        })
    }

    fn recognise(&self, held: &Fields) -> Answer<Credential> {
        let (Some(user), Some(secret)) = (held.get("user"), held.get("secret")) else {
            return Answer::No("it needs both {user} and {secret}: the roles take turns".into());
        };
        match self.roles.iter().find(|role| *role == user.expose_secret()) {
            Some(role) => Answer::Yes(credential(role, secret.clone())),
            None => Answer::No(format!("its user is neither {} nor {}", self.roles[0], self.roles[1])),
        }
    }

    fn create(&mut self, context: &Context<'_>) -> Answer<Credential> {
        let Some(new) = context.new else { return Answer::No("there is no new password".into()) };
        let done = self.administer(|client| {
            self.is_ours(&new.id)?;
            // Nobody was given it yet: whoever is there came in with a password that is not ours.
            let sessions = Role::get(client, &new.id)?.map_or(0, |role| role.sessions);
            if sessions > 0 && !context.prefers_new {
                let what = format!("{} was idle, and is in use now ({sessions} sessions)", new.id);
                return Err(Fault::No(what));
            }
            if let Some(statements) = self.prepared(client, &new.id)? {
                client.query(&statements)?;
            }
            let verifier = scram_sha_256(new.secret.expose_secret().as_bytes());
            roles::alter(client, &new.id, &format!("LOGIN PASSWORD {}", escape_literal(&verifier)))
        });
        done.map(|()| new.clone())
    }

    fn check(&mut self, credential: &Credential, _context: &Context<'_>) -> Answer {
        wire::answer(self.logged_in(credential)).at(&self.server.address.to_string())
    }

    fn disable(&mut self, old: &Credential, _context: &Context<'_>) -> Answer {
        self.shut_out(&old.id, "NOLOGIN")
    }

    fn enable(&mut self, old: &Credential, _context: &Context<'_>) -> Answer {
        self.administer(|client| {
            self.is_ours(&old.id)?;
            roles::alter(client, &old.id, "LOGIN")
        })
    }

    fn delete(&mut self, id: &str, context: &Context<'_>) -> Answer {
        // The role was there before its new password, and somebody else may have given it one since.
        if let Some(new) = context.new.filter(|new| new.id == id) {
            match self.is_of_another(new) {
                Ok(false) => {}
                Ok(true) => return Answer::Yes(()),
                Err(fault) => return wire::answer(Err(fault)),
            }
        }
        self.shut_out(id, "NOLOGIN PASSWORD NULL")
    }

    fn usage(&mut self, credential: &Credential, _context: &Context<'_>) -> Answer<Usage> {
        let role = self.administer(|client| Ok(Role::get(client, &credential.id)?));
        role.map(|role| match role.map_or(0, |role| role.sessions) {
            0 => Usage::None,
            1 => Usage::Now("1 session".into()),
            count => Usage::Now(format!("{count} sessions")),
        })
    }

    fn refusals(&mut self, _context: &Context<'_>) -> Answer<Option<u64>> {
        Answer::Yes(None)
    }
}

#[cfg(test)]
#[path = "postgres/tests.rs"]
mod tests;
