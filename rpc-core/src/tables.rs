//! Tables of methods of traits with parameters: one for each choice of them.

use std::sync::OnceLock;

use crate::method::Method;

/// What makes a table.
type Make = fn() -> Box<[Method]>;

/// A list that only grows, so that looking into it takes no lock.
static TABLES: Link = Link(OnceLock::new());

struct Link(OnceLock<Entry>);

struct Entry {
    make: Make,
    table: &'static [Method],
    next: Box<Link>,
}

/// The table that `make` makes, which is made once and never freed: a program has a fixed number of them.
///
/// Tables are told apart by the address of `make`. Two functions that share one have the same code, and then the same
/// table; a function that has several addresses only has several equal tables.
#[must_use]
pub fn table(make: Make) -> &'static [Method] {
    let mut link = &TABLES;
    loop {
        let entry = link.0.get_or_init(|| Entry {
            make,
            table: Box::leak(make()),
            next: Box::new(Link(OnceLock::new())),
        });
        if std::ptr::fn_addr_eq(entry.make, make) {
            return entry.table;
        }
        link = &entry.next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Box<[Method]> {
        Box::new([Method::new("S", "one", "()")])
    }

    fn other() -> Box<[Method]> {
        Box::new([Method::new("S", "other", "()"), Method::new("S", "third", "()")])
    }

    #[test]
    fn a_table_is_made_once_and_found_again() {
        let first = table(one);
        assert_eq!(table(other)[0].name, "other");
        assert!(std::ptr::eq(first, table(one)));
        assert_eq!(first[0].name, "one");
    }
}
