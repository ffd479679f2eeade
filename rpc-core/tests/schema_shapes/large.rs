//! Types of which there is much: deep, of many variants, or long.

use pipe_rpc_core::schema::MethodShape;
use serde::{Deserialize, Deserializer};

use super::is;

#[test]
fn large_types_are_traced_in_bounded_time() {
    // Two of each in each, thirty deep: a value with all of it would have a billion parts.
    #[derive(Deserialize)]
    struct Two<T> {
        a: Vec<T>,
        b: Vec<T>,
    }
    macro_rules! nest {
        ($ty:ty;) => { $ty };
        ($ty:ty; $a:tt $($rest:tt)*) => { nest!(Two<$ty>; $($rest)*) };
    }
    type Deep = nest!(u8; 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30);
    let text = MethodShape::new().argument::<Deep>("deep").text();
    assert!(
        text.ends_with("struct Two#30 { a: Vec<u8>, b: Vec<u8> }"),
        "{text}"
    );
}

/// An enum of as many variants as there are numbers, each with the given content but for the last, which has none.
macro_rules! many {
    ($name:ident: $content:ty) => {
        struct $name;

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;

                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("one of many")
                    }

                    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, access: A) -> Result<$name, A::Error> {
                        use serde::de::VariantAccess;
                        let (name, variant): (String, _) = access.variant()?;
                        match name == *NAMES.last().unwrap() {
                            true => variant.unit_variant()?,
                            false => drop(variant.newtype_variant::<$content>()?),
                        }
                        Ok($name)
                    }
                }
                deserializer.deserialize_enum(stringify!($name), NAMES.as_slice(), Visitor)
            }
        }
    };
}

static NAMES: std::sync::LazyLock<Vec<&'static str>> =
    std::sync::LazyLock::new(|| (0..300).map(|index| &*format!("V{index}").leak()).collect());

many!(Errors: String);
many!(Tree: (Box<Tree>, Errors));

#[test]
fn enums_of_hundreds_of_variants_are_seen_whole() {
    let text = MethodShape::new().argument::<Errors>("errors").text();
    assert!(
        text.starts_with("(Errors); enum Errors { V0(String), V1(String), "),
        "{text}"
    );
    assert!(text.ends_with(" V298(String), V299 }"), "{text}");
    let text = MethodShape::new().argument::<Tree>("tree").text();
    assert!(
        text.starts_with("(Tree); enum Tree { V0((Tree, Errors)), V1((Tree, Errors)), "),
        "{text}"
    );
    assert!(
        text.contains(" V298((Tree, Errors)), V299 }; enum Errors { V0(String)"),
        "{text}"
    );
    assert!(!text.contains('?'), "{text}");
}

#[test]
fn a_long_array_is_seen_whole() {
    struct Block;
    impl<'de> Deserialize<'de> for Block {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Block;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an array")
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut access: A) -> Result<Block, A::Error> {
                    while access.next_element::<u8>()?.is_some() {}
                    Ok(Block)
                }
            }
            deserializer.deserialize_tuple(100_000, Visitor)
        }
    }
    is::<(Block, bool)>("([u8; 100000], bool)");
}
