//! Who there is: customers, agents and supervisors, each with a phone on one endpoint. Lends
//! them out, so that nobody is on two calls.

use anyhow::Result;
use futures::FutureExt;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Mutex;
use undertone_phone::{
    Answering, Codec, Endpoint, EndpointConfig, EngineConfig, LineConfig, PhoneEngine, PhoneLine,
};

const PAIRS: usize = 150;
const SUPERVISORS: usize = 16;
pub const RIGHTS: &str = "see_wallboard,listen,whisper,barge,takeover,control,see_audit";

pub struct People {
    pub customers: Vec<PhoneLine>,
    pub agents: Vec<PhoneLine>,
    pub supervisors: Vec<PhoneLine>,
    free_customers: Mutex<VecDeque<usize>>,
    free_agents: Mutex<VecDeque<usize>>,
    free_supervisors: Mutex<VecDeque<usize>>,
    _endpoint: Endpoint,
}

/// Numbers of a customer and an agent.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub customer: usize,
    pub agent: usize,
}

fn free<'a>(of: &'a Mutex<VecDeque<usize>>) -> std::sync::MutexGuard<'a, VecDeque<usize>> {
    of.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl People {
    pub async fn start() -> Result<People> {
        let config = EngineConfig { threads: 1, priority: false, ..EngineConfig::default() };
        let engine = PhoneEngine::start(config)?;
        let endpoint = Endpoint::bind(EndpointConfig::default(), &engine).await?;
        let line = |user: String, answering| {
            let codecs = vec![Codec::Pcmu];
            endpoint.line(LineConfig { answering, codecs, ..LineConfig::new(&user) })
        };
        let lines = |prefix: &str, count, answering| -> Vec<PhoneLine> {
            (0..count).map(|n| line(format!("{prefix}{n:03}"), answering)).collect()
        };
        Ok(People {
            agents: lines("1", PAIRS, Answering::ByHand),
            customers: lines("2", PAIRS, Answering::ByHand),
            supervisors: lines("3", SUPERVISORS, Answering::AtOnce),
            free_customers: Mutex::new((0..PAIRS).collect()),
            free_agents: Mutex::new((0..PAIRS).collect()),
            free_supervisors: Mutex::new((0..SUPERVISORS).collect()),
            _endpoint: endpoint,
        })
    }

    /// What is provisioned.
    pub fn file(&self) -> String {
        let mut text = String::new();
        let rights: Vec<_> = RIGHTS.split(',').map(|right| format!("\"{right}\"")).collect();
        let kinds = [(&self.agents, String::new()), (&self.supervisors, rights.join(", "))];
        for (lines, rights) in kinds {
            for line in lines {
                let (user, contact) = (line.user(), line.uri());
                // A String takes every write.
                let _ = write!(
                    text,
                    "[[person]]\nid = \"p{user}\"\nname = \"{user}\"\nrights = [{rights}]\n\
                     [[device]]\nid = \"d{user}\"\nowner = \"p{user}\"\nextension = \"{user}\"\n\
                     contact = \"{contact}\"\n"
                );
            }
        }
        for line in &self.customers {
            let (user, contact) = (line.user(), line.uri());
            let _ = write!(
                text,
                "[[device]]\nid = \"d{user}\"\nextension = \"{user}\"\nnet = \"external\"\n\
                 contact = \"{contact}\"\n"
            );
        }
        text
    }

    pub async fn pair(&self) -> Option<Pair> {
        let mut customers = free(&self.free_customers);
        let mut agents = free(&self.free_agents);
        if customers.is_empty() || agents.is_empty() {
            return None;
        }
        Some(Pair { customer: customers.pop_front()?, agent: agents.pop_front()? })
    }

    /// The longest unused is lent first, so that news of an old call finds nobody new.
    pub fn give_back(&self, pair: Pair) {
        while self.agents[pair.agent].incoming().now_or_never().flatten().is_some() {}
        free(&self.free_customers).push_back(pair.customer);
        free(&self.free_agents).push_back(pair.agent);
    }

    pub fn supervisor(&self) -> Option<usize> {
        free(&self.free_supervisors).pop_front()
    }

    pub fn give_back_supervisor(&self, number: usize) {
        while self.supervisors[number].answered().now_or_never().flatten().is_some() {}
        free(&self.free_supervisors).push_back(number);
    }
}
