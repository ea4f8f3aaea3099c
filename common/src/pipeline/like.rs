//! Patterns: `%` stands for any bytes, `_` for one, `\` takes its meaning from the byte behind it.

/// Whether a pattern matches all of a text. A `\` at the pattern's end matches nothing.
///
/// Cost: O(text × pattern) at worst; no recursion.
pub(super) fn matches(text: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut next) = (0, 0);
    // Where to go on if what follows the last `%` does not match: one byte further in the text.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(next) == Some(&b'%') {
            next += 1;
            retry = Some((at, next));
            continue;
        }
        if at == text.len() && next == pattern.len() {
            return true;
        }
        let step = match pattern.get(next) {
            Some(b'\\') => pattern.get(next + 1).filter(|byte| text.get(at) == Some(byte)).map(|_| 2),
            Some(b'_') => text.get(at).map(|_| 1),
            Some(byte) => (text.get(at) == Some(byte)).then_some(1),
            None => None,
        };
        match (step, retry) {
            (Some(step), _) => {
                at += 1;
                next += step;
            }
            (None, Some((from, behind))) if from < text.len() => {
                retry = Some((from + 1, behind));
                (at, next) = (from + 1, behind);
            }
            (None, _) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;
    use proptest::prelude::*;

    /// Aim: each sign does what it says, at every place.
    #[test]
    fn signs() {
        let like = |text: &str, pattern: &str| matches(text.as_bytes(), pattern.as_bytes());
        for (text, pattern) in [
            ("", ""),
            ("", "%"),
            ("", "%%"),
            ("abc", "abc"),
            ("abc", "%"),
            ("abc", "a%"),
            ("abc", "%c"),
            ("abc", "%b%"),
            ("abc", "a_c"),
            ("abc", "___"),
            ("aab", "%ab"),
            ("aaab", "%a_b"),
            ("50%", "50\\%"),
            ("a_b", "a\\_b"),
            ("a\\b", "a\\\\b"),
            ("xyzabcabd", "%abd"),
            ("mississippi", "m%iss%pp_"),
            ("%", "\\%"),
            ("aXbXc", "a%X%c"),
        ] {
            assert!(like(text, pattern), "{text:?} like {pattern:?}");
        }
        for (text, pattern) in [
            ("a", ""),
            ("", "_"),
            ("abc", "ab"),
            ("abc", "abcd"),
            ("abc", "%d%"),
            ("500", "50\\%"),
            ("axb", "a\\_b"),
            ("abc", "____"),
            ("abc", "abc\\"),
            ("ab", "%b_"),
            ("abcabd", "%abe"),
        ] {
            assert!(!like(text, pattern), "{text:?} like {pattern:?}");
        }
    }

    /// The meaning, plainly.
    fn plain(text: &[u8], pattern: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'%', rest @ ..] => (0..=text.len()).any(|from| plain(&text[from..], rest)),
            [b'\\', byte, rest @ ..] => text.first() == Some(byte) && plain(&text[1..], rest),
            [b'\\'] => false,
            [b'_', rest @ ..] => !text.is_empty() && plain(&text[1..], rest),
            [byte, rest @ ..] => text.first() == Some(byte) && plain(&text[1..], rest),
        }
    }

    proptest! {
        /// Aim: it agrees with the plain definition.
        #[test]
        fn agrees_with_the_definition(text in "[ab%_]{0,8}", pattern in "[ab%_\\\\]{0,8}") {
            prop_assert_eq!(matches(text.as_bytes(), pattern.as_bytes()), plain(text.as_bytes(), pattern.as_bytes()));
        }
    }
}
