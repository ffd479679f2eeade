//! What `#[service]` accepts, what it refuses, and with which words.

#[test]
fn bad_traits_are_refused_at_the_token_with_the_remedy() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}

#[test]
fn good_traits_compile_without_a_warning() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}
