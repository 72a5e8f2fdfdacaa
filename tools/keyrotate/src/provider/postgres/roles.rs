//! The two roles as the server has them, and what is done to them.

use std::collections::BTreeMap;

use postgres_protocol::escape::{escape_identifier, escape_literal};

use super::client::{APPLICATION, Client, Trouble};
use crate::provider::wire::{Fault, Told};

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    /// Whether it may log in.
    pub(super) can_log_in: bool,
    /// Whether it has a password; not everybody may know.
    pub(super) has_password: Option<bool>,
    /// How many sessions it has, except ours.
    pub(super) sessions: u64,
    /// What must be the same with the other role, by the words of `ALTER ROLE` and the like.
    traits: BTreeMap<String, String>,
}

/// What is asked of a role: a word of ALTER ROLE, and its value. `oid` is that of the role.
const TRAITS: &[(&str, &str)] = &[
    ("SUPERUSER", "rolsuper"),
    ("CREATEDB", "rolcreatedb"),
    ("CREATEROLE", "rolcreaterole"),
    ("INHERIT", "rolinherit"),
    ("REPLICATION", "rolreplication"),
    ("BYPASSRLS", "rolbypassrls"),
    ("CONNECTION LIMIT", "rolconnlimit"),
    // A moment is told in the session's zone, and infinity is no moment.
    ("VALID UNTIL", "coalesce(rolvaliduntil, 'infinity')"),
    (
        MEMBERSHIP,
        "(SELECT coalesce(string_agg(quote_ident(g.rolname) || CASE WHEN m.admin_option THEN ' WITH ADMIN OPTION' \
         ELSE '' END, ', ' ORDER BY g.rolname), '') FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid \
         WHERE m.member = r.oid)",
    ),
    (
        SETTINGS,
        "(SELECT coalesce(string_agg(coalesce(quote_ident(d.datname) || ': ', '') || c, ', ' \
         ORDER BY d.datname, c), '') FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase, \
         unnest(s.setconfig) c WHERE s.setrole = r.oid)",
    ),
    // Beside its own memberships: rights, policies, and what is granted to what it makes later.
    (
        RIGHTS,
        "(SELECT coalesce(string_agg(concat_ws('/', dbid, classid, objid, objsubid, deptype), ' ' \
         ORDER BY dbid, classid, objid, objsubid, deptype), '') FROM pg_shdepend \
         WHERE refclassid = 'pg_authid'::regclass AND refobjid = r.oid AND deptype <> 'o')",
    ),
    (
        OWNED,
        "(SELECT count(*) FROM pg_shdepend \
         WHERE refclassid = 'pg_authid'::regclass AND refobjid = r.oid AND deptype = 'o')",
    ),
];

const MEMBERSHIP: &str = "membership";
const SETTINGS: &str = "settings";
const RIGHTS: &str = "rights of its own";
const OWNED: &str = "objects it owns";

impl Role {
    /// The role `name`; `None` when there is none.
    ///
    /// # Errors
    /// When the server refuses to tell.
    pub(super) fn get(client: &mut Client, name: &str) -> Result<Option<Self>, Trouble> {
        let traits: Vec<String> = TRAITS.iter().map(|(_, sql)| format!("({sql})::text")).collect();
        let traits = traits.join(", ");
        let (literal, ours) = (escape_literal(name), escape_literal(APPLICATION));
        let sessions = format!(
            "(SELECT count(*) FROM pg_stat_activity a \
             WHERE a.usename = r.rolname AND a.application_name IS DISTINCT FROM {ours})"
        );
        let sql =
            format!("SELECT rolcanlogin, {sessions}, {traits} FROM pg_roles r WHERE rolname = {literal}");
        let Some(row) = client.query(&sql)?.pop() else { return Ok(None) };
        let mut values = row.into_iter().map(Option::unwrap_or_default);
        let can_log_in = values.next().as_deref() == Some("t");
        let sessions = values.next().and_then(|text| text.parse().ok()).unwrap_or_default();
        let traits = TRAITS.iter().map(|(word, _)| (*word).to_owned()).zip(values).collect();
        let has_password = has_password(client, &literal)?;
        Ok(Some(Self { can_log_in, has_password, sessions, traits }))
    }

    /// Whether anybody can log in as this role with a password.
    pub(super) fn is_enabled(&self) -> bool {
        self.can_log_in && self.has_password != Some(false)
    }

    fn value(&self, word: &str) -> &str {
        self.traits.get(word).map(String::as_str).unwrap_or_default()
    }

    /// What keeps `other`, called `second`, from taking the place of this role, called `first`; `None`
    /// when nothing does.
    pub(super) fn differs(&self, first: &str, (second, other): (&str, &Self)) -> Option<String> {
        let owner = [(first, self), (second, other)].into_iter().find(|(_, role)| role.value(OWNED) != "0");
        if let Some((name, role)) = owner {
            return Some(format!(
                "{name} owns what the other one could not use ({} objects): make a role that cannot log in, \
                 with both as its members, REASSIGN OWNED BY {name} to it in each database, and have what \
                 they make later belong to it: ALTER ROLE {name} SET role",
                role.value(OWNED)
            ));
        }
        let word = TRAITS.iter().map(|(word, _)| *word).find(|word| self.value(word) != other.value(word))?;
        if word == RIGHTS {
            return Some(format!(
                "{first} and {second} have different rights of their own; grant them to a role that cannot \
                 log in, with both as its members"
            ));
        }
        let told = |role: &Self| match role.value(word) {
            "" => "none".to_owned(),
            value => value.to_owned(),
        };
        Some(format!(
            "{first} and {second} differ: {word} is {} and {}; make them the same (ALTER ROLE, GRANT)",
            told(self),
            told(other)
        ))
    }

    /// What keeps a role from being made like this one, called `name`; `None` when nothing does.
    pub(super) fn is_unique(&self, name: &str) -> Option<String> {
        let word =
            [OWNED, RIGHTS, SETTINGS].into_iter().find(|word| !matches!(self.value(word), "" | "0"))?;
        Some(format!("{name} has {word}, which are not copied; make the other role yourself, with NOLOGIN"))
    }

    /// The statements that make the role `name` like this one, called `model`; it cannot log in yet.
    ///
    /// # Errors
    /// When the server does not tell which groups it is in.
    pub(super) fn copied(&self, client: &mut Client, model: &str, name: &str) -> Result<String, Trouble> {
        let name = escape_identifier(name);
        let mut statements = vec![format!("CREATE ROLE {name} NOLOGIN")];
        for (word, _) in TRAITS {
            match self.value(word) {
                "true" => statements.push(format!(" {word}")),
                "false" => statements.push(format!(" NO{word}")),
                _ => {}
            }
        }
        let until = escape_literal(self.value("VALID UNTIL"));
        statements.push(format!(" CONNECTION LIMIT {} VALID UNTIL {until}", self.value("CONNECTION LIMIT")));
        let groups = client.query(&format!(
            "SELECT g.rolname, CASE WHEN m.admin_option THEN ' WITH ADMIN OPTION' END \
             FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles r ON r.oid = m.member \
             WHERE r.rolname = {}",
            escape_literal(model)
        ))?;
        for mut group in groups {
            let option = group.pop().flatten().unwrap_or_default();
            let group = escape_identifier(&group.pop().flatten().unwrap_or_default());
            statements.push(format!("; GRANT {group} TO {name}{option}"));
        }
        Ok(statements.concat())
    }
}

/// Only a superuser may know; who may not does not.
fn has_password(client: &mut Client, literal: &str) -> Result<Option<bool>, Trouble> {
    match client.query(&format!("SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = {literal}")) {
        Ok(rows) => Ok(rows.first().and_then(|row| row.first()?.as_deref()).map(|text| text == "t")),
        Err(Trouble::Refused(code, _)) if code == "42501" => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// `ALTER ROLE name words`.
pub(super) fn alter(client: &mut Client, name: &str, words: &str) -> Told {
    client.query(&format!("ALTER ROLE {} {words}", escape_identifier(name)))?;
    Ok(())
}

/// Whether we may change the role: tried, and undone.
pub(super) fn may_alter(client: &mut Client, name: &str) -> Told {
    let name = escape_identifier(name);
    client.query(&format!("BEGIN; ALTER ROLE {name} NOLOGIN PASSWORD NULL; ROLLBACK"))?;
    Ok(())
}

/// Ends the sessions of the role, and says how many there are still.
pub(super) fn end_sessions(client: &mut Client, name: &str) -> Told<u64> {
    let sql = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = {}",
        escape_literal(name)
    );
    let rows = client.query(&sql)?;
    let count = rows.first().and_then(|row| row.first()?.as_deref()?.parse().ok());
    count.ok_or_else(|| Fault::Unknown("the server does not count sessions".into()))
}

/// Whether we may end sessions: of a superuser nobody else may, of others who is member of a role for that.
pub(super) fn may_end_sessions(client: &mut Client) -> Told {
    let sql = "SELECT rolsuper OR pg_has_role(rolname, 'pg_signal_backend', 'MEMBER') \
               FROM pg_roles WHERE rolname = current_user";
    let rows = client.query(sql)?;
    if rows.first().and_then(|row| row.first()?.as_deref()) == Some("t") {
        return Ok(());
    }
    Err(Fault::No("the administrator may not end sessions; GRANT pg_signal_backend TO it".into()))
}
