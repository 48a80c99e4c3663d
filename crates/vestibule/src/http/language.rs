//! Which language a browser would like the built-in pages in (`Accept-Language`, RFC 9110, section 12.5.4).

use std::cmp::Reverse;

use axum::http::{HeaderMap, header};

use crate::{config::Locale, site::wishes::wishes};

/// The language of the highest weight, of several the one that was named first; English where none of ours is wished
/// for. A range means its language whatever stands behind it, as in `de-AT` (RFC 4647, section 3.4).
pub(super) fn wished_for(headers: &HeaderMap) -> Locale {
    let wishes = wishes(headers, header::ACCEPT_LANGUAGE);
    let best = |is_meant: &dyn Fn(&str) -> bool| {
        let ranges = wishes.iter().enumerate();
        ranges
            .filter(|(_, (range, _))| is_meant(range))
            .map(|(place, (_, weight))| (*weight, Reverse(place)))
            .max()
    };
    let wanted = Locale::ALL.into_iter().filter_map(|locale| {
        let named = best(&|range| range.split('-').next() == Some(locale.tag()));
        let (weight, place) = named.or_else(|| best(&|range| range == "*"))?;
        (weight > 0).then_some(((weight, place), locale))
    });
    // Of two that `*` alone stands for, the first of ours.
    let wanted = wanted.rev().max_by_key(|(wish, _)| *wish);
    wanted.map_or(Locale::ALL[0], |(_, locale)| locale)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_weights_of_the_browser_decide() {
        use Locale::{English, German};
        let cases = [
            ("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", German),
            ("en-US,en;q=0.9,de;q=0.8", English),
            ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", English),
            ("fr, de;q=0.2", German),
            ("fr", English),
            ("de, en", German),
            ("en, de", English),
            ("DE-at", German),
            ("de;q=0.5, de-AT, en;q=0.8", German),
            ("de;q=0", English),
            ("de;q=0, en;q=0", English),
            ("en;q=0, *;q=0.1", German),
            ("*", English),
            ("*;q=0", English),
            ("deutsch", English),
            ("de;q=nonsense", English),
            ("-de, ;q=1", English),
            ("", English),
        ];
        for (field, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(field));
            assert_eq!(wished_for(&headers), expected, "{field}");
        }
        assert_eq!(wished_for(&HeaderMap::new()), English);
    }

    #[test]
    fn a_list_may_come_in_several_fields() {
        let mut headers = HeaderMap::new();
        for field in ["en;q=0.3", "de;q=0.4"] {
            headers.append(header::ACCEPT_LANGUAGE, HeaderValue::from_static(field));
        }
        assert_eq!(wished_for(&headers), Locale::German);
    }
}
