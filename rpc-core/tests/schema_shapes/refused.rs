//! Types whose `Deserialize` refuses its samples, panics, or asks for other things each time.

use serde::{Deserialize, Deserializer};

use super::{Entry, is};

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Mail;

#[derive(Deserialize)]
#[serde(try_from = "Entry")]
struct Corner;

impl TryFrom<String> for Mail {
    type Error = &'static str;
    fn try_from(_: String) -> Result<Self, Self::Error> {
        Err("no mail")
    }
}

impl TryFrom<Entry> for Corner {
    type Error = &'static str;
    fn try_from(_: Entry) -> Result<Self, Self::Error> {
        Err("no corner")
    }
}

#[test]
fn types_that_take_no_sample_hide_nothing_that_has_a_name() {
    #[derive(Deserialize)]
    struct User {
        id: u8,
        mail: Mail,
        corner: Corner,
        kind: Option<Kind>,
        last: Kind,
    }
    #[derive(Deserialize)]
    enum Kind {
        First(Mail),
        Second { mail: Mail, number: u16 },
    }
    is::<Mail>("String");
    is::<Corner>("Entry; struct Entry { word: String, rank: Option<u32> }");
    is::<(Vec<Mail>, Option<Mail>, u8)>("(Vec<String>, Option<String>, u8)");
    is::<User>(
        "User; struct User { id: u8, mail: String, corner: Entry, kind: Option<Kind>, last: Kind }; \
         struct Entry { word: String, rank: Option<u32> }; \
         enum Kind { First(String), Second { mail: String, number: u16 } }",
    );
}

#[test]
fn what_stands_after_a_refused_sample_in_a_tuple_is_not_seen_and_says_so() {
    #[derive(Deserialize)]
    struct Both(u8, Mail, Entry);
    is::<(u8, Mail, Entry)>("(u8, String, ?)");
    is::<Both>("Both; struct Both(u8, String, ?)");
}

#[test]
fn a_deserialize_that_panics_is_not_asked_again_and_hurts_nothing_else() {
    struct Panics;
    impl<'de> Deserialize<'de> for Panics {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            u16::deserialize(deserializer)?;
            panic!("on purpose")
        }
    }
    #[derive(Deserialize)]
    struct Holds {
        before: u8,
        panics: Panics,
        after: Entry,
    }
    is::<Holds>(
        "Holds; struct Holds { before: u8, panics: u16, after: Entry }; \
         struct Entry { word: String, rank: Option<u32> }",
    );
}

#[test]
fn a_deserialize_that_asks_for_other_things_each_time_is_not_seen() {
    struct Fickle;
    impl<'de> Deserialize<'de> for Fickle {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            use std::sync::atomic::{AtomicBool, Ordering};
            static TURN: AtomicBool = AtomicBool::new(false);
            if TURN.fetch_xor(true, Ordering::Relaxed) {
                u8::deserialize(deserializer)?;
            } else {
                String::deserialize(deserializer)?;
            }
            Err(serde::de::Error::custom("no"))
        }
    }
    is::<(Fickle, u8)>("[?; 2]");
}
