//! `undertone user`: who may sign in to the pages. A password is read from standard input, where
//! no process list and no shell history shows it.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a command line's own output

use crate::cli::UserCommand;
use crate::clock;
use crate::hashing;
use crate::provision;
use crate::serve::open_store;
use crate::sign_in::unfit;
use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;
use undertone_core::access::Right;
use undertone_core::directory::Person;
use undertone_core::id::PersonId;
use undertone_store::{Login, Store};

pub(crate) async fn run(command: UserCommand) -> anyhow::Result<ExitCode> {
    let (person, place) = match &command {
        UserCommand::Add { person, place, .. }
        | UserCommand::Password { person, place }
        | UserCommand::Remove { person, place } => (PersonId::parse(person)?, place),
    };
    let store = open_store(&place.config()?).await?;
    let done = work(&store, &person, &command).await;
    store.close().await;
    println!("{}", done?);
    Ok(ExitCode::SUCCESS)
}

async fn work(store: &Store, id: &PersonId, command: &UserCommand) -> anyhow::Result<String> {
    let known = store.directory().await?.people.get(id).cloned();
    match command {
        UserCommand::Remove { .. } => match store.remove_person(id).await? {
            true => Ok(format!("removed {id}")),
            false => bail!("there is no person {id}"),
        },
        UserCommand::Password { .. } => {
            let Some(login) = store.login_of(id).await? else { bail!("{id} has no login yet") };
            let password = read_password()?;
            put(store, Login { password, ..login }).await?;
            Ok(format!("{id} has a new password; older sessions have ended"))
        }
        UserCommand::Add { name, login, rights, .. } => {
            let rights = read_rights(rights)?;
            match &known {
                Some(_) if name.is_some() || !rights.is_empty() => {
                    bail!("{id} is there already: --name and --rights are for a new person")
                }
                None if rights.is_empty() => {
                    bail!("there is no person {id}: give --rights (such as `all`) to make one")
                }
                _ => {}
            }
            let password = read_password()?;
            if known.is_none() {
                let name = name.clone().unwrap_or_else(|| id.to_string());
                let person = Person { id: id.clone(), name, extension: None, rights };
                store.add_person(person).await?;
            }
            let name = login.clone().unwrap_or_else(|| id.to_string()).to_lowercase();
            let changed_at = clock::now().wall;
            let entry = Login { person: id.clone(), name: name.clone(), password, changed_at };
            put(store, entry).await?;
            Ok(format!("{id} signs in as {name}"))
        }
    }
}

async fn put(store: &Store, login: Login) -> anyhow::Result<()> {
    let password = hashing::hash(&login.password)?;
    let changed_at = clock::now().wall;
    Ok(store.put_login(Login { password, changed_at, ..login }, None).await?)
}

fn read_rights(codes: &[String]) -> anyhow::Result<BTreeSet<Right>> {
    if codes == ["all"] {
        return Ok(Right::ALL.iter().copied().collect());
    }
    let parse = |code: &String| Right::parse(code).with_context(|| provision::unknown_right(code));
    codes.iter().map(parse).collect()
}

/// Typed unseen and twice, or one line of standard input.
fn read_password() -> anyhow::Result<String> {
    let input = std::io::stdin();
    let password = if input.is_terminal() {
        let first = rpassword::prompt_password("Password: ").context("cannot read it")?;
        if first != rpassword::prompt_password("The same again: ").context("cannot read it")? {
            bail!("the two are not the same");
        }
        first
    } else {
        let mut line = String::new();
        input.lock().read_line(&mut line).context("cannot read the password")?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    match unfit(&password) {
        Some(why) => bail!("{why}"),
        None => Ok(password),
    }
}
