//! Sizes as users write them: `"512B"`, `"64KiB"`, `"256MiB"`, `"1GiB"`.

/// The bytes that `text` says, or `None` if it is not a whole number above zero and a unit.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit);
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    let bytes = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_known() {
        assert_eq!(parse("512B"), Some(512));
        assert_eq!(parse("64KiB"), Some(65_536));
        assert_eq!(parse("256MiB"), Some(256 << 20));
        assert_eq!(parse("1GiB"), Some(1 << 30));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "", "2", "MiB", "2 MiB", "-2MiB", "1.5GiB", "2MB", "2mib", "0B", "1MiB1KiB",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&format!("{}GiB", u64::MAX)), None, "overflow");
    }
}
