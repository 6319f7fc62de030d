//! What routing promises (`docs/OPERATING.md`), written a second time over the house's plain
//! tables. Shares no code with `routing.rs`, `directory.rs`, `number.rs` or `traffic.rs`.

use crate::routing_house::*;
use std::collections::BTreeMap;

/// The moment, as the oracle is told it.
#[derive(Clone, Default)]
pub(crate) struct Moment {
    /// Account to calls at once, in the last hour.
    pub accounts: BTreeMap<&'static str, (u32, u32)>,
    /// Number called to the same.
    pub called: BTreeMap<&'static str, (u32, u32)>,
    pub channels: BTreeMap<&'static str, u32>,
    pub down: Vec<&'static str>,
}

fn fits(pattern: &str, number: &str) -> bool {
    let (mut p, mut n) = (pattern.chars(), number.chars());
    loop {
        match (p.next(), n.next()) {
            (None, None) => return true,
            (Some('.'), Some(_)) => return p.next().is_none(),
            (Some('X'), Some(c)) if c.is_ascii_digit() => {}
            (Some(a), Some(b)) if a == b && a != 'X' => {}
            _ => return false,
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.chars().all(|c| "0123456789+*#".contains(c))
}

fn cut(number: &str, strip: usize, prepend: &str) -> String {
    prepend.to_owned() + &number.chars().skip(strip).collect::<String>()
}

fn length(pattern: &str) -> usize {
    pattern.trim_end_matches('.').len()
}

/// An extension, then the name of a device. A person's extension is all that is theirs.
fn indoors(dialled: &str) -> Option<String> {
    if let Some((person, _)) = PEOPLE.iter().find(|(_, extension)| *extension == dialled) {
        return Some(of_person(person));
    }
    let by_extension = DEVICES.iter().find(|(_, extension, _)| *extension == dialled);
    let by_name = DEVICES.iter().find(|(id, ..)| *id == dialled);
    by_extension.or(by_name).map(|(id, ..)| format!("device {id}"))
}

fn of_person(person: &str) -> String {
    let theirs: Vec<_> =
        DEVICES.iter().filter(|(.., owner)| *owner == person).map(|(id, ..)| *id).collect();
    format!("person {person}: {}", theirs.join(" "))
}

enum Row {
    Own(&'static str),
    Out(RouteRow),
}

/// All rows that match, the best first.
fn best(number: &str, origin: &str) -> Option<Row> {
    let for_it = |from: &str| from.is_empty() || from == origin;
    let mut rows = Vec::new();
    for (p, from, to) in NUMBERS {
        if fits(p, number) && for_it(from) {
            rows.push((length(p), Row::Own(to)));
        }
    }
    for row in ROUTES {
        if fits(row.0, number) && for_it(row.1) {
            rows.push((length(row.0), Row::Out(row)));
        }
    }
    rows.sort_by_key(|(length, _)| std::cmp::Reverse(*length)); // stable: order breaks ties
    rows.into_iter().next().map(|(_, row)| row)
}

pub(crate) fn says(origin: &str, dialled: &str, moment: &Moment) -> String {
    let by_trunk = TRUNKS.iter().any(|(trunk, _)| *trunk == origin);
    if EMERGENCY.contains(&dialled) {
        return for_help(origin, dialled, moment);
    }
    if !by_trunk && let Some(there) = indoors(dialled) {
        return there;
    }
    if !is_number(dialled) {
        return "no: no_route".into();
    }
    let mut number = dialled.to_owned();
    for _ in 0..100 {
        let to = match best(&number, origin) {
            None => return "no: no_route".into(),
            Some(Row::Out(route)) => return outside(origin, route, &number, moment),
            Some(Row::Own(to)) => to,
        };
        let (kind, rest) = to.split_once(':').unwrap();
        number = match kind {
            "person" => return of_person(rest),
            "device" => return format!("device {rest}"),
            "number" => rest.to_owned(),
            _ => {
                let (strip, prepend) = rest.split_once(':').unwrap();
                cut(&number, strip.parse().unwrap(), prepend)
            }
        };
        if let Some(there) = indoors(&number) {
            return there;
        }
    }
    "no: route_loop".into()
}

fn outside(origin: &str, route: RouteRow, number: &str, moment: &Moment) -> String {
    let (_, _, strip, prepend, trunks, transparent) = route;
    let number = cut(number, usize::from(strip), prepend);
    // The first of the longest patterns that name him.
    let mut grant: Option<(usize, u32, u32)> = None;
    for (who, to, calls, hour) in OUTBOUND {
        let person = PEOPLE.iter().any(|(person, _)| *person == origin);
        if !(who.contains(&origin) || person && who.contains(&"*")) {
            continue;
        }
        for to in to {
            if fits(to, &number) && grant.is_none_or(|(l, ..)| length(to) > l) {
                grant = Some((length(to), calls, hour));
            }
        }
    }
    let Some((_, calls, hour)) = grant else { return "no: outbound_denied".into() };
    let mut no = Vec::new();
    let (live, began) = moment.accounts.get(origin).copied().unwrap_or_default();
    if live >= calls || began >= hour {
        no.push("account_cap");
    }
    let over = |(to, calls, hour): &(&str, u32, u32)| {
        let all = moment.called.iter().filter(|(called, _)| fits(to, called));
        let (live, began) = all.fold((0, 0), |sum, (_, n)| (sum.0 + n.0, sum.1 + n.1));
        fits(to, &number) && (live >= *calls || began >= *hour)
    };
    if CAPS.iter().any(over) {
        no.push("destination_cap");
    }
    if !no.is_empty() {
        return format!("no: {}", no.join(" "));
    }
    let others: Vec<_> = trunks.iter().copied().filter(|trunk| *trunk != origin).collect();
    if others.is_empty() {
        return "no: route_loop".into();
    }
    let up: Vec<_> = others.into_iter().filter(|trunk| !moment.down.contains(trunk)).collect();
    let free: Vec<_> = up.iter().copied().filter(|trunk| !is_full(trunk, moment)).collect();
    match (up.is_empty(), free.is_empty()) {
        (true, _) => "no: trunk_down".into(),
        (false, true) => "no: trunk_full".into(),
        _ => by(&free, &number, if transparent { " transparent" } else { "" }),
    }
}

fn is_full(trunk: &str, moment: &Moment) -> bool {
    let max = TRUNKS.iter().find(|(id, _)| *id == trunk).unwrap().1;
    max > 0 && moment.channels.get(trunk).copied().unwrap_or(0) >= max
}

fn by(trunks: &[&str], number: &str, mark: &str) -> String {
    let then =
        if trunks.len() > 1 { format!(" then {}", trunks[1..].join(" ")) } else { "".into() };
    format!("trunk {} {number}{then}{mark}", trunks[0])
}

/// Free ones, full ones, those that are down: never none.
fn for_help(origin: &str, dialled: &str, moment: &Moment) -> String {
    let all = || EMERGENCY_TRUNKS.into_iter().filter(|trunk| *trunk != origin);
    let down = |trunk: &&str| moment.down.contains(trunk);
    let (mut order, mut full, mut last) = (Vec::new(), Vec::new(), (Vec::new(), Vec::new()));
    for trunk in all() {
        match (down(&trunk), is_full(trunk, moment)) {
            (false, false) => order.push(trunk),
            (false, true) => full.push(trunk),
            (true, false) => last.0.push(trunk),
            (true, true) => last.1.push(trunk),
        }
    }
    order.extend(full.into_iter().chain(last.0).chain(last.1));
    by(&order, dialled, " emergency")
}
