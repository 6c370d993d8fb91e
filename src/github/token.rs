//! A token, checked before any library sees it.

use secrecy::SecretString;

/// Says why a token is none, without showing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It is empty.
    #[error("the token is empty")]
    Empty,
    /// It holds something that no token has, such as a line end or a letter with an accent.
    #[error("the token holds a character that no token has: character {at} is a blank, a line end or no ASCII")]
    Character {
        /// Which, from 1.
        at: usize,
    },
}

/// Reads a token. Blanks and line ends around it are what copying leaves, and are taken away.
///
/// # Errors
/// When something else than the visible characters of ASCII is in it: it would end in a header of a request.
pub fn parse_token(text: &str) -> Result<SecretString, InvalidToken> {
    let token = text.trim();
    if token.is_empty() {
        return Err(InvalidToken::Empty);
    }
    match token.chars().position(|character| !character.is_ascii_graphic()) {
        Some(at) => Err(InvalidToken::Character { at: at + 1 }),
        None => Ok(token.to_owned().into()),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn what_copying_leaves_around_a_token_is_taken_away_and_nothing_else() {
        for text in ["ghs_x", "ghs_x\n", " ghs_x\r\n\t"] {
            assert_eq!(parse_token(text).unwrap().expose_secret(), "ghs_x");
        }
        assert_eq!(parse_token("\n").unwrap_err(), InvalidToken::Empty);
        for wrong in ["ghs_\nx", "ghs x", "ghs_\u{0}", "ghs_ä", "ghs_\u{200b}x", "ghs_\u{7f}"] {
            let error = parse_token(wrong).unwrap_err();
            assert!(matches!(error, InvalidToken::Character { .. }), "{wrong:?}");
            assert!(!error.to_string().contains("ghs"), "{error}");
        }
    }
}
