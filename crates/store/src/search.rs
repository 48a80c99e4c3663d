//! Search for a text within others, the same on every engine. Case is up to whoever asks: they
//! compare keys that have none, or spell it in each way.

use sea_orm::sea_query::LikeExpr;

/// A pattern for texts that contain `text`, whose own `%` and `_` mean themselves.
pub(crate) fn containing(text: &str) -> LikeExpr {
    let literal = text
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    LikeExpr::new(format!("%{literal}%")).escape('\\')
}
