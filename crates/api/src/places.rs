//! How many connections there are at once, in all and of one source, and which of them makes room
//! where there is no more: one on which nobody is signed in, the oldest of the source that has most
//! of those. So a flood of strangers costs strangers. What is said on a connection is not known
//! here, nor how it is read.

use crate::link::Link;
use crate::source::Source;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Pages hold one for their events each, and a few more for a moment.
const CONNECTIONS_MAX: usize = 4_096;
/// It may be an office behind one address.
const CONNECTIONS_OF_ONE_MAX: usize = 1_024;

#[derive(Clone, Debug)]
pub struct PlacesConfig {
    pub connections_max: usize,
    /// Of one address; of IPv6, of one /64.
    pub connections_of_one_max: usize,
    /// They speak for many, and are not counted by source.
    pub proxies: Vec<IpAddr>,
}

impl Default for PlacesConfig {
    fn default() -> Self {
        Self {
            connections_max: CONNECTIONS_MAX,
            connections_of_one_max: CONNECTIONS_OF_ONE_MAX,
            proxies: Vec::new(),
        }
    }
}

/// What a listener's connections take.
#[derive(Debug)]
pub struct Places {
    config: PlacesConfig,
    held: Mutex<Held>,
    made_room: AtomicU64,
    refused: AtomicU64,
}

/// At one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacesGauges {
    pub connections: u64,
    /// That were closed for one that came.
    pub made_room: u64,
    /// That found no place.
    pub refused: u64,
}

/// By source, in the order in which they came.
#[derive(Debug, Default)]
struct Held {
    by_source: HashMap<Source, BTreeMap<u64, Arc<Link>>>,
    count: usize,
    next: u64,
}

/// One connection's place, as long as this lives.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    source: Source,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.held().remove(self.source, self.number);
    }
}

impl Places {
    pub fn new(config: PlacesConfig) -> Arc<Places> {
        let (made_room, refused) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Places { config, held: Mutex::default(), made_room, refused })
    }

    pub fn gauges(&self) -> PlacesGauges {
        PlacesGauges {
            connections: self.held().count as u64,
            made_room: self.made_room.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from there. None: there is none, and nobody who would make room.
    pub(crate) fn take(self: &Arc<Self>, from: IpAddr, link: &Arc<Link>) -> Option<Place> {
        let source = Source::of(from);
        let mut held = self.held();
        let own = held.by_source.get(&source).map_or(0, BTreeMap::len);
        let counts = !self.config.proxies.contains(&from.to_canonical());
        let stranger = if counts && own >= self.config.connections_of_one_max {
            Some(held.stranger_of(source))
        } else if held.count >= self.config.connections_max {
            Some(held.stranger())
        } else {
            None
        };
        if let Some(stranger) = stranger {
            let Some((its, number)) = stranger else {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return None;
            };
            if let Some(link) = held.remove(its, number) {
                link.cut();
            }
            self.made_room.fetch_add(1, Ordering::Relaxed);
        }
        let number = held.add(source, link.clone());
        Some(Place { places: self.clone(), source, number })
    }
}

impl Held {
    fn add(&mut self, source: Source, link: Arc<Link>) -> u64 {
        self.next += 1;
        self.count += 1;
        self.by_source.entry(source).or_default().insert(self.next, link);
        self.next
    }

    /// None: it made room already.
    fn remove(&mut self, source: Source, number: u64) -> Option<Arc<Link>> {
        let all = self.by_source.get_mut(&source)?;
        let link = all.remove(&number)?;
        if all.is_empty() {
            self.by_source.remove(&source);
        }
        self.count -= 1;
        Some(link)
    }

    fn stranger_of(&self, source: Source) -> Option<(Source, u64)> {
        let oldest = strangers(self.by_source.get(&source)?).next()?;
        Some((source, oldest))
    }

    /// Of equals whose has been here longest.
    fn stranger(&self) -> Option<(Source, u64)> {
        let each = self.by_source.iter().filter_map(|(source, all)| {
            let oldest = strangers(all).next()?;
            Some((strangers(all).count(), oldest, *source))
        });
        let most = each.max_by_key(|(count, oldest, _)| (*count, std::cmp::Reverse(*oldest)));
        most.map(|(_, oldest, source)| (source, oldest))
    }
}

fn strangers(all: &BTreeMap<u64, Arc<Link>>) -> impl Iterator<Item = u64> + '_ {
    all.iter().filter(|(_, link)| !link.is_signed_in()).map(|(number, _)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn few(connections_max: usize, connections_of_one_max: usize) -> Arc<Places> {
        let proxies = vec![[10, 0, 0, 1].into()];
        Places::new(PlacesConfig { connections_max, connections_of_one_max, proxies })
    }

    fn come(places: &Arc<Places>, last: u8) -> Option<(Place, Arc<Link>)> {
        let link = Arc::<Link>::default();
        let from = IpAddr::from([if last == 1 { 10 } else { 192 }, 0, 0, last]);
        places.take(from, &link).map(|place| (place, link))
    }

    #[test]
    fn the_oldest_stranger_of_the_source_that_has_most_makes_room() {
        let places = few(5, 9);
        let all: Vec<_> = [2, 3, 3, 4, 3].iter().map(|n| come(&places, *n).unwrap()).collect();
        all[1].1.signs_in(true);
        let late = come(&places, 5).unwrap();
        let cut: Vec<_> = all.iter().map(|(_, link)| link.is_cut()).collect();
        assert_eq!(cut, [false, false, true, false, false]);
        // One each: the longest there.
        drop(come(&places, 6).unwrap());
        assert!(all[0].1.is_cut() && !late.1.is_cut());
        assert_eq!(places.gauges(), PlacesGauges { connections: 4, made_room: 2, refused: 0 });
        drop((all, late));
        assert_eq!(places.gauges().connections, 0);
        assert!(places.held().by_source.is_empty());
    }

    #[test]
    fn who_is_signed_in_makes_room_for_nobody() {
        let places = few(2, 9);
        let all: Vec<_> = (2..4).map(|n| come(&places, n).unwrap()).collect();
        all.iter().for_each(|(_, link)| link.signs_in(true));
        assert!(come(&places, 4).is_none());
        // Signed out, and so a stranger again.
        all[0].1.signs_in(false);
        assert!(come(&places, 4).is_some() && all[0].1.is_cut());
        assert_eq!(places.gauges().refused, 1);
    }

    #[test]
    fn a_source_with_all_that_one_may_have_makes_room_itself_and_a_proxy_has_no_such_limit() {
        let places = few(9, 2);
        let other = come(&places, 2).unwrap();
        let own: Vec<_> = (0..3).map(|_| come(&places, 3).unwrap()).collect();
        assert!(own[0].1.is_cut() && !own[1].1.is_cut() && !other.1.is_cut());
        let through: Vec<_> = (0..5).map(|_| come(&places, 1).unwrap()).collect();
        assert!(through.iter().all(|(_, link)| !link.is_cut()));
        assert_eq!(places.gauges().made_room, 1);
    }
}
