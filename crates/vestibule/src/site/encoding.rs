//! Which compressed copies of a file a client takes (`Accept-Encoding`, RFC 9110, section 12.5.3). Whether there is
//! such a copy is left to `files`.

use axum::http::{HeaderMap, header};

use super::wishes::wishes;

/// A content coding in which copies may lie beside a file, the smaller one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `page.html.br`
    Brotli,
    /// `page.html.gz`
    Gzip,
}

impl Encoding {
    /// What the name of the copy adds to that of the file.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    /// Its name in `Content-Encoding`.
    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The other name under which clients know it.
    fn alias(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "x-gzip",
        }
    }
}

/// The codings to try, best first. Those that the client likes less than the file as it is are left out.
pub(crate) fn accepted(headers: &HeaderMap) -> Vec<Encoding> {
    let wishes = wishes(headers, header::ACCEPT_ENCODING);
    let weight_of = |names: [&str; 2]| {
        let named = |wanted: &str| {
            wishes
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, weight)| *weight)
        };
        names.into_iter().find_map(named)
    };
    let anything = weight_of(["*", "*"]);
    // A client that lists codings prefers them; only a weight of its own puts the plain file before them.
    let plain = weight_of(["identity", "identity"]).unwrap_or(0);
    let mut accepted: Vec<(Encoding, u16)> = [Encoding::Brotli, Encoding::Gzip]
        .into_iter()
        .filter_map(|encoding| {
            let weight = weight_of([encoding.token(), encoding.alias()]).or(anything)?;
            (weight > 0 && weight >= plain).then_some((encoding, weight))
        })
        .collect();
    accepted.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    accepted.into_iter().map(|(encoding, _)| encoding).collect()
}

#[cfg(test)]
mod tests {
    use super::{Encoding, accepted};
    use axum::http::{HeaderMap, HeaderValue, header};

    #[test]
    fn the_weights_of_the_client_decide_and_brotli_wins_a_tie() {
        use Encoding::{Brotli, Gzip};
        let cases: [(&str, &[Encoding]); 15] = [
            ("gzip, deflate, br, zstd", &[Brotli, Gzip]),
            ("gzip;q=1.0, br;q=0.5", &[Gzip, Brotli]),
            ("br;q=0, gzip", &[Gzip]),
            ("*", &[Brotli, Gzip]),
            ("*;q=0", &[]),
            ("*, br;q=0", &[Gzip]),
            ("identity", &[]),
            ("identity, gzip;q=0.5", &[]),
            ("identity;q=0.5, gzip", &[Gzip]),
            ("X-GZIP", &[Gzip]),
            ("GZIP ; Q=0.001", &[Gzip]),
            ("gzip;q=nonsense, br;q=2", &[]),
            ("gzip;q=0.1234", &[]),
            (", ,", &[]),
            ("deflate", &[]),
        ];
        for (field, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(field));
            assert_eq!(accepted(&headers), expected, "{field}");
        }
        assert_eq!(accepted(&HeaderMap::new()), []);
    }
}
