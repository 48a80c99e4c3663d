//! The operations of users with the role `admin`.

use axum::http::Method;

use super::super::{
    operation::{Access, Answer, Operation, operation},
    schema::{id, line, named, time, word},
    shapes,
};
use crate::http::{admin, error::Code};

pub(super) fn operations() -> Vec<Operation> {
    let user = "The id of a user, who may be deleted.";
    vec![
        operation(Method::GET, "/api/admin/users", &admin::list_users)
            .does(
                "List users",
                "A page of users, the newest first; deleted ones only where they are asked \
                 for.",
            )
            .by(Access::Admin)
            .query(
                "q",
                line("ada"),
                "A part of an e-mail address, a username or a name.",
            )
            .query("role", shapes::role(), "A role that they have.")
            .query(
                "status",
                word(["active", "disabled", "deleted"]),
                "What they are; without it, all who are not deleted.",
            )
            .paged()
            .answers(Answer::json(200, "The users.", "AdminUserPage")),
        operation(Method::POST, "/api/admin/users", &admin::add_user)
            .does(
                "Add a user",
                "Makes an account, whatever the setting `registration` says. Its address \
                 counts as verified.",
            )
            .by(Access::Admin)
            .takes(named("NewUser"))
            .answers(Answer::json(201, "The user.", "AdminUser").with(&["Location"]))
            .may(&[Code::EmailTaken, Code::UsernameTaken]),
        operation(Method::GET, "/api/admin/users/{id}", &admin::get_user)
            .does("See a user", "One user, who may be disabled or deleted.")
            .by(Access::Admin)
            .of(user)
            .answers(Answer::json(200, "The user.", "AdminUser")),
        operation(Method::PATCH, "/api/admin/users/{id}", &admin::change_user)
            .does(
                "Change a user",
                "Changes the fields that are there, all of them or none; null clears a \
                 name (RFC 7396). Whoever loses a role or is disabled is logged out \
                 everywhere.",
            )
            .by(Access::Admin)
            .of(user)
            .takes_patch(named("UserChange"))
            .answers(Answer::json(200, "The user as changed.", "AdminUser"))
            .may(&[Code::EmailTaken, Code::UsernameTaken, Code::Conflict]),
        operation(Method::DELETE, "/api/admin/users/{id}", &admin::delete_user)
            .does(
                "Delete a user",
                "Deletes an account, so that its names are free, and logs its user out \
                 everywhere. Nothing happens to one that is deleted already.",
            )
            .by(Access::Admin)
            .of(user)
            .answers(Answer::empty(204, "The user is deleted."))
            .may(&[Code::Conflict]),
        operation(
            Method::POST,
            "/api/admin/users/{id}/restore",
            &admin::restore_user,
        )
        .does(
            "Restore a user",
            "Brings a deleted account back. No session comes back. It is refused when \
                 somebody has taken a name since, and once the account is being purged; \
                 nothing happens to one that is not deleted.",
        )
        .by(Access::Admin)
        .of(user)
        .answers(Answer::json(200, "The user.", "AdminUser"))
        .may(&[Code::EmailTaken, Code::UsernameTaken, Code::Conflict]),
        operation(
            Method::DELETE,
            "/api/admin/users/{id}/sessions",
            &admin::end_user_sessions,
        )
        .does(
            "Log a user out",
            "Ends every session of a user, who may be the caller.",
        )
        .by(Access::Admin)
        .of(user)
        .answers(Answer::empty(204, "The user has no session.")),
        operation(Method::GET, "/api/admin/audit", &admin::list_audit_events)
            .does(
                "List audit events",
                "A page of audit events, the newest first.",
            )
            .by(Access::Admin)
            .query(
                "user",
                id(),
                "Those that this user did, or that happened to them.",
            )
            .query("event", shapes::audit_event(), "Those of this kind.")
            .query("since", time(), "Those from this moment on.")
            .paged()
            .answers(Answer::json(200, "The events.", "AuditEventPage")),
        operation(Method::GET, "/api/admin/stats", &admin::get_stats)
            .does(
                "See figures",
                "How many users and sessions there are, and what the last days brought; up \
                 to 5 s old.",
            )
            .by(Access::Admin)
            .answers(Answer::json(200, "The figures.", "Figures")),
        operation(Method::GET, "/api/admin/client", &admin::get_client)
            .does(
                "See your own address",
                "Which address the server takes for that of whoever asks, and why. Behind a \
                 proxy it should be the address of the browser, not of the proxy.",
            )
            .by(Access::Admin)
            .answers(Answer::json(200, "The address.", "ClientSeen")),
    ]
}
