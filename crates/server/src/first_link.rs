//! Where the link of the first start is told. It makes an administrator, so it goes to a terminal,
//! which somebody sits at, and else into a file that only the server's own user reads: what a
//! service prints is kept in a journal that others may read. The token stands behind `#`, which a
//! browser sends to nobody.

use std::path::Path;
use undertone_store::{StoreError, private};

const FILE: &str = "first-link";

/// What is printed: the link, or where it is; nothing where somebody can sign in already.
pub(crate) fn told(
    data: &Path,
    origin: &str,
    token: Option<&str>,
    at_terminal: bool,
) -> Result<Option<String>, StoreError> {
    let path = data.join(FILE);
    // An earlier start's is worth nothing any more.
    let _ = std::fs::remove_file(&path);
    let Some(token) = token else { return Ok(None) };
    let link = format!("{origin}/#first={token}");
    if at_terminal {
        return Ok(Some(link));
    }
    private::write(&path, format!("{link}\n").as_bytes())?;
    Ok(Some(format!("the link is in {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_the_link_and_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let told = |token, terminal| told(dir.path(), "http://h", token, terminal).unwrap();
        let path = dir.path().join(FILE);
        let elsewhere = told(Some("abc"), false).unwrap();
        assert!(!elsewhere.contains("abc") && path.exists(), "{elsewhere}");
        assert_eq!(told(Some("abc"), true).as_deref(), Some("http://h/#first=abc"));
        assert!(!path.exists());
        told(Some("abc"), false);
        assert_eq!(told(None, false), None);
        assert!(!path.exists(), "it was used");
    }
}
