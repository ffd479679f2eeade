//! What the attributes of serde make of a shape.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::{Entry, is};

#[test]
fn attributes_of_serde() {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", rename = "Renamed")]
    struct Original {
        first_field: u8,
        #[serde(rename = "other")]
        second: u16,
        #[serde(skip)]
        skipped: u32,
        #[serde(default)]
        with_default: u64,
    }
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Transparent {
        inner: Entry,
    }
    #[derive(Deserialize)]
    struct Skips(u8, #[serde(skip)] u16);
    #[derive(Deserialize)]
    enum Some {
        #[serde(skip)]
        Not,
        #[serde(rename = "is")]
        Is,
        #[serde(other)]
        Other,
    }
    #[derive(Deserialize)]
    #[serde(from = "(u8, String)")]
    struct From;
    impl core::convert::From<(u8, String)> for From {
        fn from(_: (u8, String)) -> Self {
            Self
        }
    }
    #[derive(Deserialize)]
    struct With {
        #[serde(deserialize_with = "seconds")]
        time: Duration,
        after: u8,
    }
    fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
    is::<Original>("Renamed; struct Renamed { firstField: u8, other: u16, withDefault: u64 }");
    is::<Transparent>("Entry; struct Entry { word: String, rank: Option<u32> }");
    is::<Skips>("Skips; struct Skips(u8,)");
    is::<Some>("Some; enum Some { is, Other }");
    is::<From>("(u8, String)");
    is::<With>("With; struct With { time: u64, after: u8 }");
}

#[test]
fn aliases_are_no_fields_and_no_variants_of_their_own() {
    #[derive(Deserialize)]
    struct Aliased {
        #[serde(alias = "alpha", alias = "zeta")]
        name: String,
        #[serde(alias = "b")]
        other: Option<Kind>,
        last: u8,
    }
    #[derive(Deserialize)]
    enum Kind {
        #[serde(alias = "Old")]
        New {
            #[serde(alias = "y")]
            x: u8,
        },
        Third,
    }
    is::<Aliased>(
        "Aliased; struct Aliased { name: String, other: Option<Kind>, last: u8 }; \
         enum Kind { New|Old { x: u8 }, Third }",
    );
}

#[test]
fn what_needs_a_format_that_names_things_is_any() {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(u8),
        Text(String),
    }
    #[derive(Deserialize)]
    #[serde(tag = "type")]
    enum Internal {
        A { x: u8 },
    }
    is::<(Untagged, u8)>("(any, u8)");
    is::<Internal>("any");
}
