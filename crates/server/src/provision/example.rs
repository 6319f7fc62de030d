//! The example file: every table and key, each with a word on it. The text is one file, so that
//! the command, the docs and the tests cannot differ.

pub fn example() -> &'static str {
    include_str!("example.toml")
}
