//! Functions of 70 lines at most. Counts lines between a `fn` and its closing brace at the same
//! indentation, which rustfmt guarantees; it does not parse Rust.

use crate::{Finding, Source};

const FUNCTION_LINES_AT_MOST: usize = 70;

pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let mut found = Vec::new();
    let lines: Vec<&str> = source.text.lines().collect();
    for (i, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        if !opens_function(body) {
            continue;
        }
        let indent = line.len() - body.len();
        let Some(length) = length_from(&lines[i..], indent) else { continue };
        if length > FUNCTION_LINES_AT_MOST {
            found.push(Finding {
                place: format!("{}:{}", source.path, i + 1),
                what: format!("a function of {length} lines; {FUNCTION_LINES_AT_MOST} is the most"),
            });
        }
    }
    found
}

fn opens_function(line: &str) -> bool {
    let mut rest = line;
    for word in ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    rest.starts_with("fn ")
}

/// Lines from the `fn` to the brace that closes it; None for a declaration without a body.
fn length_from(lines: &[&str], indent: usize) -> Option<usize> {
    let closing = format!("{}}}", " ".repeat(indent));
    for (i, line) in lines.iter().enumerate() {
        if i == 0 && (line.ends_with(';') || line.ends_with('}')) {
            return None;
        }
        if *line == closing {
            return Some(i + 1);
        }
        if i > 0 && line.len() > indent && !line.starts_with(&" ".repeat(indent)) {
            return None;
        }
    }
    None
}
