//! The programs whose users can be brought over: by what their tables are recognised, and what their columns mean.

use store::{ForeignJoin, ForeignTable};

use super::mapping::{ImportField, is_alike};

/// The program that wrote a source, or the form of a file; found by itself by default.
#[derive(Clone, Copy, Default)]
pub struct ImportFormat {
    pub(super) recipe: Option<&'static Recipe>,
    pub(super) syntax: Option<Syntax>,
}

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    Csv,
    Json,
}

impl Syntax {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

impl ImportFormat {
    /// The names of all.
    pub const NAMES: [&'static str; 11] = [
        "auto",
        "flask",
        "django",
        "fastapi-users",
        "supabase",
        "pocketbase",
        "better-auth",
        "wordpress",
        "firebase",
        "csv",
        "json",
    ];

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let syntax = match name {
            "auto" => return Some(Self::default()),
            "csv" => Some(Syntax::Csv),
            "json" | "firebase" => Some(Syntax::Json),
            _ => None,
        };
        let recipe = RECIPES.iter().find(|recipe| recipe.name == name);
        (syntax.is_some() || recipe.is_some()).then_some(Self { recipe, syntax })
    }
}

/// How the users of a program lie in its database.
pub(super) struct Recipe {
    pub(super) name: &'static str,
    /// What its table is called; empty where that is up to whoever uses the program.
    tables: &'static [&'static str],
    /// Columns that its table has.
    marks: &'static [&'static str],
    /// A table that is there besides, by one of these names; empty where there is none.
    companions: &'static [&'static str],
    /// What the columns mean, each with alternatives.
    pub(super) columns: &'static [(ImportField, &'static [&'static str])],
}

/// What the tables of those who built their own are searched for: any names of columns in use.
pub(super) const GENERIC: &Recipe = {
    use ImportField::{
        Active, CreatedAt, Deleted, Disabled, Email, Id, Name, Password, Role, Username, Verified,
    };
    &Recipe {
        name: "flask",
        tables: &[],
        marks: &[],
        companions: &[],
        columns: &[
            (Id, &["id", "user_id", "uid", "uuid", "_id"]),
            (
                Email,
                &["email", "email_address", "mail", "e_mail", "user_email"],
            ),
            (
                Password,
                &[
                    "password_hash",
                    "hashed_password",
                    "pw_hash",
                    "pwhash",
                    "pass_hash",
                    "passhash",
                    "password_digest",
                    "encrypted_password",
                    "password",
                    "passwd",
                    "pwd",
                ],
            ),
            (Username, &["username", "user_name", "login", "user_login"]),
            (
                Name,
                &["name", "full_name", "display_name", "first_name+last_name"],
            ),
            (
                CreatedAt,
                &[
                    "created_at",
                    "created",
                    "created_on",
                    "date_created",
                    "date_joined",
                    "joined_at",
                    "registered_at",
                    "registered_on",
                    "member_since",
                    "user_registered",
                ],
            ),
            (
                Verified,
                &[
                    "email_verified",
                    "is_verified",
                    "verified",
                    "email_confirmed",
                    "confirmed",
                    "email_verified_at",
                    "email_confirmed_at",
                    "confirmed_at",
                    "confirmed_on",
                ],
            ),
            (Active, &["is_active", "active", "enabled", "is_enabled"]),
            (
                Disabled,
                &[
                    "disabled",
                    "is_disabled",
                    "banned",
                    "is_banned",
                    "blocked",
                    "is_blocked",
                ],
            ),
            (Deleted, &["deleted_at", "deleted", "is_deleted"]),
            (
                Role,
                &["role", "roles", "is_admin", "is_superuser", "admin"],
            ),
        ],
    }
};

/// Those that have marks, the more particular ones first.
pub(super) const RECIPES: &[Recipe] = {
    use ImportField::{
        Active, CreatedAt, Deleted, Disabled, Email, Id, Name, Password, Role, Salt, Username,
        Verified,
    };
    &[
        Recipe {
            name: "supabase",
            tables: &["auth.users"],
            marks: &["encrypted_password", "email", "raw_user_meta_data"],
            companions: &[],
            columns: &[
                (Id, &["id"]),
                (Email, &["email"]),
                (Password, &["encrypted_password"]),
                (CreatedAt, &["created_at"]),
                (Verified, &["email_confirmed_at"]),
                (Disabled, &["banned_until"]),
                (Deleted, &["deleted_at"]),
            ],
        },
        Recipe {
            name: "pocketbase",
            tables: &[],
            marks: &["tokenKey", "email", "verified"],
            companions: &["_collections"],
            columns: &[
                (Id, &["id"]),
                (Email, &["email"]),
                (Password, &["password", "passwordHash"]),
                (Username, &["username"]),
                (Name, &["name"]),
                (CreatedAt, &["created"]),
                (Verified, &["verified"]),
            ],
        },
        Recipe {
            name: "better-auth",
            tables: &["user", "users"],
            marks: &["emailVerified", "email"],
            companions: &["account", "accounts"],
            columns: &[
                (Id, &["id"]),
                (Email, &["email"]),
                (
                    Password,
                    &["account.password", "accounts.password", "password"],
                ),
                (Username, &["username"]),
                (Name, &["name"]),
                (CreatedAt, &["createdAt"]),
                (Verified, &["emailVerified"]),
                (Disabled, &["banned"]),
                (Role, &["role"]),
            ],
        },
        Recipe {
            name: "wordpress",
            tables: &[],
            marks: &["user_login", "user_pass", "user_email", "user_registered"],
            companions: &[],
            columns: &[
                (Id, &["ID"]),
                (Email, &["user_email"]),
                (Password, &["user_pass"]),
                (Username, &["user_login"]),
                (Name, &["display_name"]),
                (CreatedAt, &["user_registered"]),
            ],
        },
        Recipe {
            name: "django",
            tables: &[],
            marks: &[
                "password",
                "last_login",
                "is_superuser",
                "email",
                "is_active",
            ],
            companions: &[],
            columns: &[
                (Id, &["id"]),
                (Email, &["email"]),
                (Password, &["password"]),
                (Username, &["username"]),
                (Name, &["first_name+last_name", "full_name", "name"]),
                (CreatedAt, &["date_joined"]),
                (Active, &["is_active"]),
                (Role, &["is_superuser"]),
            ],
        },
        Recipe {
            name: "fastapi-users",
            tables: &[],
            marks: &[
                "email",
                "hashed_password",
                "is_active",
                "is_superuser",
                "is_verified",
            ],
            companions: &[],
            columns: &[
                (Id, &["id"]),
                (Email, &["email"]),
                (Password, &["hashed_password"]),
                (Username, &["username"]),
                (Name, &["name", "full_name", "first_name+last_name"]),
                (CreatedAt, &["created_at"]),
                (Verified, &["is_verified"]),
                (Active, &["is_active"]),
                (Role, &["is_superuser"]),
            ],
        },
        Recipe {
            name: "firebase",
            tables: &[],
            marks: &["localId", "email", "createdAt"],
            companions: &[],
            columns: &[
                (Id, &["localId"]),
                (Email, &["email"]),
                (Password, &["passwordHash"]),
                (Salt, &["salt"]),
                (Name, &["displayName"]),
                (CreatedAt, &["createdAt"]),
                (Verified, &["emailVerified"]),
                (Disabled, &["disabled"]),
            ],
        },
        Recipe {
            name: GENERIC.name,
            ..*GENERIC
        },
    ]
};

impl Recipe {
    /// Whether it is the one for tables that nobody has a recipe for.
    pub(super) fn is_generic(&self) -> bool {
        self.name == GENERIC.name
    }

    /// Whether these are the columns that its users have; of the generic one, an address and a hash.
    pub(super) fn has_marks(&self, columns: &[String]) -> bool {
        let has = |name: &str| columns.iter().any(|column| is_alike(column, name));
        if !self.is_generic() {
            return self.marks.iter().all(|mark| has(mark));
        }
        let needed = [ImportField::Email, ImportField::Password];
        let of_needed = self
            .columns
            .iter()
            .filter(|(field, _)| needed.contains(field));
        of_needed
            .into_iter()
            .all(|(_, alternatives)| alternatives.iter().any(|name| has(name)))
    }

    /// Whether a file with these columns has its users; those of a program that needs a second table are told by that.
    pub(super) fn fits_file(&self, columns: &[String]) -> bool {
        self.companions.is_empty() && self.has_marks(columns)
    }

    /// Whether a table of a database is where it has its users.
    pub(super) fn fits(&self, table: &ForeignTable, all: &[ForeignTable]) -> bool {
        let is_named = self.tables.is_empty() || self.tables.contains(&table.full_name().as_str());
        is_named && self.has_marks(&names(table)) && self.is_accompanied(all)
    }

    /// Whether a table of its users is for the program itself, as that of PocketBase's superusers is. It is read where
    /// the call names it.
    pub(super) fn keeps_to_itself(&self, table: &ForeignTable) -> bool {
        self.name == "pocketbase" && table.name.starts_with('_')
    }

    fn is_accompanied(&self, all: &[ForeignTable]) -> bool {
        self.companions.is_empty() || self.companion(all).is_some()
    }

    /// The table in which the passwords stand, where it is not that of the users.
    /// Its columns may be in another case, as an adapter or a plugin writes them.
    pub(super) fn passwords(
        &self,
        users: &ForeignTable,
        all: &[ForeignTable],
    ) -> Option<ForeignJoin> {
        if self.name != "better-auth" {
            return None;
        }
        let table = self.companion(all)?;
        Some(ForeignJoin {
            table: table.clone(),
            column: column(table, "userId")?,
            of: column(users, "id")?,
            marked: (column(table, "providerId")?, "credential"),
        })
    }

    fn companion<'a>(&self, all: &'a [ForeignTable]) -> Option<&'a ForeignTable> {
        all.iter()
            .find(|table| self.companions.contains(&table.name.as_str()))
    }
}

/// The column that is called so, but for the case and what stands between words.
fn column(table: &ForeignTable, name: &str) -> Option<String> {
    names(table)
        .into_iter()
        .find(|column| is_alike(column, name))
}

/// The names of a table's columns.
pub(super) fn names(table: &ForeignTable) -> Vec<String> {
    table
        .columns
        .iter()
        .map(|column| column.name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use store::{ForeignColumn, ForeignTable};

    use super::RECIPES;

    fn table(name: &str, columns: &[&str]) -> ForeignTable {
        let column = |name: &&str| ForeignColumn {
            name: (*name).to_owned(),
            kind: "text".to_owned(),
        };
        ForeignTable {
            schema: String::new(),
            name: name.to_owned(),
            columns: columns.iter().map(column).collect(),
        }
    }

    #[test]
    fn better_auth_is_known_by_whatever_case_its_adapter_writes() {
        let user = ["id", "email", "email_verified"];
        let account = ["id", "user_id", "provider_id", "password"];
        for (users, accounts) in [("user", "account"), ("users", "accounts")] {
            let tables = [table(users, &user), table(accounts, &account)];
            let fits = |recipe: &&super::Recipe| recipe.fits(&tables[0], &tables);
            let recipe = RECIPES.iter().find(fits).expect("a recipe");
            assert_eq!(recipe.name, "better-auth");
            let join = recipe.passwords(&tables[0], &tables).expect("a join");
            assert_eq!((join.column.as_str(), join.of.as_str()), ("user_id", "id"));
            assert_eq!(join.marked, ("provider_id".to_owned(), "credential"));
            assert_eq!(join.table.name, accounts);
        }
    }
}
