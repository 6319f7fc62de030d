//! The two files that an operator writes. A mistake is named by its line, which is in the file.

pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match undertone::config::Config::parse(text, "fuzz.toml") {
        Ok(config) => drop(config.check()),
        Err(error) => {
            let said = error.to_string();
            let line = said.split(':').nth(1).and_then(|line| line.parse::<usize>().ok());
            let lines = text.lines().count() + 1;
            assert!(line.is_some_and(|line| (1..=lines).contains(&line)), "{said}");
        }
    }
}

pub fn provision(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(mistakes) = undertone::provision::read(text) {
        let lines = text.lines().count() + 1;
        assert!(!mistakes.is_empty(), "refused, and no mistake named");
        assert!(mistakes.iter().all(|m| (1..=lines).contains(&m.line)), "{mistakes:?}");
    }
}
