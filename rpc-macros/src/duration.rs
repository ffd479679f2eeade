//! Durations as users write them: `"150ms"`, `"2s"`, `"1m"`, `"1h"`.

use std::time::Duration;

/// The duration that `text` says, or `None` if it is not a whole number above zero and a unit.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit);
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_known() {
        assert_eq!(parse("150ms"), Some(Duration::from_millis(150)));
        assert_eq!(parse("2s"), Some(Duration::from_secs(2)));
        assert_eq!(parse("1m"), Some(Duration::from_secs(60)));
        assert_eq!(parse("1h"), Some(Duration::from_secs(3_600)));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "2",
            "s",
            "2 s",
            "-2s",
            "1.5s",
            "2parsecs",
            "0s",
            "1m30s",
            "99999999999999999999s",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&format!("{}h", u64::MAX)), None, "overflow");
    }
}
