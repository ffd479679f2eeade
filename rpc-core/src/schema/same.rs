//! Whether a place asks for the same again, whatever is known of the parts.

use super::graph::{Body, Content, Kind, Variant};

impl Kind {
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Leaf(one), Self::Leaf(other)) => one == other,
            (Self::Option(_), Self::Option(_))
            | (Self::Seq(_), Self::Seq(_))
            | (Self::Map(..), Self::Map(..)) => true,
            (Self::UnitStruct(one), Self::UnitStruct(other))
            | (Self::Newtype(one, _), Self::Newtype(other, _)) => one == other,
            (Self::Tuple(one), Self::Tuple(other)) => one.is_same(other),
            (Self::TupleStruct(name, one), Self::TupleStruct(other_name, other))
            | (Self::Struct(name, one), Self::Struct(other_name, other)) => {
                name == other_name && one.is_same(other)
            }
            (Self::Enum(name, one), Self::Enum(other_name, other)) => {
                let names =
                    |variants: &[Variant]| variants.iter().map(|variant| variant.name).collect::<Vec<_>>();
                name == other_name && names(one) == names(other)
            }
            _ => false,
        }
    }
}

impl Content {
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unit, Self::Unit) | (Self::Newtype(_), Self::Newtype(_)) => true,
            (Self::Tuple(one), Self::Tuple(other)) | (Self::Fields(one), Self::Fields(other)) => {
                one.is_same(other)
            }
            _ => false,
        }
    }
}

impl Body {
    fn is_same(&self, other: &Self) -> bool {
        (self.offered, self.names) == (other.offered, other.names)
    }
}
