//! Reading one value of an entry at a time, with the mistake and its place where it is wrong.
//! Knows the forms of texts, lists, whole numbers and ids; not what they mean.

use super::Mistake;
use crate::config::line_of;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Longest list in one entry.
const LIST_MAX: usize = 10_000;

pub(super) type Entry<'a> = DeTable<'a>;
/// With its place in the text, in bytes.
pub(super) type Placed<T> = (Range<usize>, T);

pub(super) struct Reader<'a> {
    text: &'a str,
    /// Of the hashes that are made of passwords.
    pub(super) realm: &'a str,
    mistakes: Vec<Mistake>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, realm: &'a str) -> Self {
        Self { text, realm, mistakes: Vec::new() }
    }

    pub(super) fn done<T>(mut self, good: impl FnOnce() -> T) -> Result<T, Vec<Mistake>> {
        if self.mistakes.is_empty() {
            return Ok(good());
        }
        self.mistakes.sort();
        self.mistakes.dedup();
        Err(self.mistakes)
    }

    pub(super) fn is_good(&self) -> bool {
        self.mistakes.is_empty()
    }

    pub(super) fn wrong(&mut self, at: &Range<usize>, what: impl Into<String>) {
        let line = line_of(self.text, at.start);
        self.mistakes.push(Mistake { line, what: what.into() });
    }

    pub(super) fn entries<T>(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        one: impl Fn(&mut Self, &Range<usize>, &Entry<'_>) -> Option<T>,
    ) -> Vec<Placed<T>> {
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(&value.span(), "write it in double brackets, such as [[person]]");
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_table() {
                Some(entry) => {
                    found.extend(one(self, &item.span(), entry).map(|t| (item.span(), t)));
                }
                None => self.wrong(&item.span(), "expected a table"),
            }
        }
        found
    }

    pub(super) fn only(&mut self, entry: &Entry<'_>, known: &[&str]) {
        for key in entry.keys() {
            if !known.contains(&key.get_ref().as_ref()) {
                let list = known.join(", ");
                self.wrong(&key.span(), format!("unknown key `{}`; known: {list}", key.get_ref()));
            }
        }
    }

    pub(super) fn text<'e>(&mut self, entry: &'e Entry<'_>, key: &str) -> Option<Placed<&'e str>> {
        let value = entry.get(key)?;
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() && text.len() <= 128 => {
                Some((value.span(), text))
            }
            Some(_) => {
                self.wrong(&value.span(), format!("`{key}` must be 1 to 128 bytes"));
                None
            }
            None => {
                self.wrong(&value.span(), format!("`{key}` must be a text in quotes"));
                None
            }
        }
    }

    pub(super) fn needed<'e>(
        &mut self,
        at: &Range<usize>,
        entry: &'e Entry<'_>,
        key: &str,
    ) -> Option<Placed<&'e str>> {
        if entry.get(key).is_none() {
            self.wrong(at, format!("`{key}` is missing"));
        }
        self.text(entry, key)
    }

    /// A text that must be one of something. `Ok(None)` if there is none; `Err` if it is wrong,
    /// which has been noted.
    pub(super) fn parsed<T, E: fmt::Display>(
        &mut self,
        entry: &Entry<'_>,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ()> {
        if entry.get(key).is_none() {
            return Ok(None);
        }
        let (at, text) = self.text(entry, key).ok_or(())?;
        match parse(text) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                self.wrong(&at, format!("`{key}`: {error}"));
                Err(())
            }
        }
    }

    /// A list of texts, each parsed.
    pub(super) fn words<T, E: fmt::Display>(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<Placed<T>> {
        let list = value.get_ref().as_array().filter(|list| list.len() <= LIST_MAX);
        let Some(list) = list else {
            self.wrong(&value.span(), format!("`{key}` must be a list such as [\"…\"]"));
            return Vec::new();
        };
        let mut words = Vec::new();
        for item in list.iter() {
            match item.get_ref().as_str().map(&parse) {
                Some(Ok(word)) => words.push((item.span(), word)),
                Some(Err(error)) => self.wrong(&item.span(), format!("`{key}`: {error}")),
                None => self.wrong(&item.span(), format!("`{key}` is a list of texts in quotes")),
            }
        }
        words
    }

    /// The same, of an entry's key; empty if it is not there.
    pub(super) fn list<T, C: FromIterator<T>, E: fmt::Display>(
        &mut self,
        entry: &Entry<'_>,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> C {
        let words = entry.get(key).map(|value| self.words(value, key, parse)).unwrap_or_default();
        words.into_iter().map(|(_, word)| word).collect()
    }

    pub(super) fn whole(&mut self, entry: &Entry<'_>, key: &str, max: u32) -> Option<u32> {
        let value = entry.get(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(integer) => {
                u32::from_str_radix(integer.as_str(), integer.radix()).ok()
            }
            _ => None,
        };
        let number = number.filter(|number| *number <= max);
        if number.is_none() {
            self.wrong(&value.span(), format!("`{key}` must be a whole number, 0 to {max}"));
        }
        number
    }

    pub(super) fn flag(&mut self, entry: &Entry<'_>, key: &str) -> bool {
        let Some(value) = entry.get(key) else { return false };
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(&value.span(), format!("`{key}` must be true or false"));
        }
        flag.unwrap_or(false)
    }

    pub(super) fn id<T, E: fmt::Display>(
        &mut self,
        at: &Range<usize>,
        id: Result<T, E>,
    ) -> Option<T> {
        match id {
            Ok(id) => Some(id),
            Err(_) => {
                self.wrong(at, "an id is 1 to 128 of letters, digits and . _ : @ + -");
                None
            }
        }
    }

    /// `Ok(None)` if there is none; `Err` if it is wrong, which has been noted.
    pub(super) fn extension(&mut self, entry: &Entry<'_>) -> Result<Option<String>, ()> {
        let number = undertone_core::number::Number::parse;
        Ok(self.parsed(entry, "extension", number)?.map(|number| number.to_string()))
    }
}
