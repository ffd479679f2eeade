//! Rules for the names of methods on the wire: each stands for a number, and no two for the same.

use crate::attributes;
use crate::errors::Errors;
use crate::model::Method;

/// Checks that the numbers of all methods differ.
pub(crate) fn check(methods: &[Method], errors: &mut Errors) {
    for (index, method) in methods.iter().enumerate() {
        let name = method.name();
        let earlier = &methods[..index];
        let Some(other) = earlier.iter().find(|other| collide(other, method)) else {
            continue;
        };
        let (ident, other_ident, other_name) = (method.ident(), other.ident(), other.name());
        let fault = if name == other_name {
            format!("`{ident}` and `{other_ident}` are both `{name}` on the wire")
        } else {
            format!(
                "`{name}` of `{ident}` and `{other_name}` of `{other_ident}` are the same number on the wire"
            )
        };
        errors.at(
            method.name_token(),
            format!("{fault}: give one of them another name with `#[rpc(name = \"..\")]`"),
        );
    }
}

fn collide(one: &Method, other: &Method) -> bool {
    wire_id(&one.name()) == wire_id(&other.name()) && !are_alternatives(one, other)
}

/// Whether only one of both exists: two of one name under `#[cfg]`s that, or the compiler would complain, exclude each
/// other.
fn are_alternatives(one: &Method, other: &Method) -> bool {
    let has_cfg = |method: &Method| !attributes::cfgs(&method.item.attrs).is_empty();
    one.ident() == other.ident() && (has_cfg(one) || has_cfg(other))
}

/// The number of a name on the wire: FNV-1a, 32 bits. See "Names and fingerprints" in PROTOCOL.md.
fn wire_id(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash: u32, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_ids_are_those_of_the_protocol() {
        // Test vectors of the function's authors, http://www.isthe.com/chongo/src/fnv/test_fnv.c
        assert_eq!(wire_id(""), 0x811c_9dc5);
        assert_eq!(wire_id("a"), 0xe40c_292c);
        assert_eq!(wire_id("foobar"), 0xbf9c_f968);
    }
}
