//! Whom a request is for that the library has made a transaction of: a dialog's task, the
//! registrar, or a new call. Who may ask was settled before, in `sifting`.

use std::sync::Arc;

use rsipstack::sip::{Header, Method, StatusCode};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;

use super::{Core, Origin};
use crate::door;
use crate::fields::{call_id, capabilities, to_tag};
use crate::incoming;
use crate::registering::{self, Came};
use crate::types::Incoming;
use crate::via;
use crate::wire::ALLOW;

impl Core {
    pub(super) async fn dispatch(
        self: Arc<Self>,
        mut arriving: mpsc::UnboundedReceiver<Transaction>,
        calls: mpsc::Sender<Incoming>,
    ) {
        loop {
            let transaction = tokio::select! {
                got = arriving.recv() => match got { Some(got) => got, None => return },
                () = self.stop.cancelled() => return,
            };
            match to_tag(&transaction.original) {
                Some(tag) => self.route(transaction, tag),
                None => self.outside(transaction, &calls),
            }
        }
    }

    /// A request of a dialog goes to its task.
    fn route(self: &Arc<Self>, transaction: Transaction, tag: String) {
        let key = (call_id(&transaction.original), tag);
        let Some(sender) = self.dialogs.requests_of(&key) else {
            return self.reply(transaction, 481, Vec::new());
        };
        if let Err(back) = sender.try_send(transaction) {
            let (transaction, code) = match back {
                mpsc::error::TrySendError::Full(back) => (back, 503),
                mpsc::error::TrySendError::Closed(back) => (back, 481),
            };
            self.reply(transaction, code, Vec::new());
        }
    }

    /// What `sifting` let in.
    fn outside(self: &Arc<Self>, transaction: Transaction, calls: &mpsc::Sender<Incoming>) {
        match transaction.original.method {
            Method::Register => self.register(transaction),
            Method::Invite => incoming::start(self, transaction, calls),
            _ => self.reply(transaction, 405, vec![Header::Allow(ALLOW.into())]),
        }
    }

    fn register(&self, transaction: Transaction) {
        let request = &transaction.original;
        let registrar = self.door.as_ref().and_then(|door| door.registrar.as_ref());
        let (code, headers) = match (registrar, door::account_of(request), via::source_of(request))
        {
            (None, ..) => (405, vec![Header::Allow(ALLOW.into())]),
            // Known by its address, it has no account to bind.
            (_, None, _) | (_, _, None) => (403, Vec::new()),
            (Some(registrar), Some(account), Some(source)) => {
                let Origin { transport, flow, .. } = self.origin(&transaction);
                let came = Came { source, transport, flow };
                let answer =
                    registering::answer(registrar, request, &account, came, door::wall_ms());
                // It may have closed between the one and the other: whichever of us comes last
                // takes the binding out.
                if let Some(id) = flow.filter(|id| self.flows.find(*id).is_none()) {
                    registrar.flow_closed(id);
                }
                answer
            }
        };
        self.reply(transaction, code, headers);
    }

    /// Answers a request finally, and keeps its transaction until the ACK or its end.
    pub(crate) fn reply(&self, transaction: Transaction, code: u16, headers: Vec<Header>) {
        self.reply_with(transaction, code, headers, None);
    }

    pub(crate) fn reply_with(
        &self,
        mut transaction: Transaction,
        code: u16,
        headers: Vec<Header>,
        body: Option<Vec<u8>>,
    ) {
        self.linger(async move {
            let status = StatusCode::from(code);
            if let Err(error) = transaction.reply_with(status, headers, body).await {
                return tracing::debug!(%error, code, "an answer could not be sent");
            }
            if transaction.original.method == Method::Invite {
                // The ACK, or the end of waiting for it.
                transaction.receive().await;
            }
        });
    }

    pub(crate) fn contact_header(&self) -> Header {
        Header::Contact(format!("<{}>", self.contact).into())
    }

    /// What OPTIONS tells outside a dialog (section 11.2).
    pub(super) fn abilities(&self) -> Vec<Header> {
        let mut headers = capabilities(ALLOW);
        headers.push(Header::Supported("100rel, timer, replaces".into()));
        headers
    }

    pub(crate) fn retry_after(&self) -> Vec<Header> {
        vec![Header::RetryAfter(self.config.retry_after_s.to_string().into())]
    }
}
