//! From bytes to the library: each message that comes, by whichever transport, is read, judged
//! and counted here, and handed on only if it is good and `sifting` lets it pass.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use rsipstack::sip::SipMessage;

use super::Core;
use super::sifting::Sifted;
use crate::flow::{Flow, Raw};
use crate::locate::udp;
use crate::nat;
use crate::outward;
use crate::types::Transport;
use crate::wire::{DATAGRAM_MAX_BYTES, Hop, Reading, read};

impl Core {
    pub(super) async fn receive(&self) {
        let mut buffer = vec![0; DATAGRAM_MAX_BYTES];
        loop {
            let got = tokio::select! {
                got = self.wire.receive(&mut buffer) => got,
                () = self.stop.cancelled() => return,
            };
            let (length, source) = match got {
                Ok(got) => got,
                // An ICMP error of an earlier send; the socket itself still works.
                Err(error) => {
                    tracing::debug!(%error, "receiving failed");
                    tokio::task::yield_now().await;
                    continue;
                }
            };
            self.take(&buffer[..length], source, None).await;
        }
    }

    /// One message, by whichever transport: judged, and handed to the library if it is good.
    pub(crate) async fn take(&self, bytes: &[u8], source: SocketAddr, flow: Option<&Flow>) {
        self.received.fetch_add(1, Ordering::Relaxed);
        let transport = if flow.is_some() { Transport::Tcp } else { Transport::Udp };
        let hop = Hop { source, transport };
        let mut message = match read(bytes, &hop, &self.ours, &self.config.user_agent) {
            Reading::Message(message) => message,
            Reading::Ping => return self.answer(b"\r\n".to_vec(), source, flow).await,
            Reading::Refuse { code, bytes } => {
                self.judged.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(%source, code, "request refused unseen");
                return self.answer(bytes, source, flow).await;
            }
            Reading::Drop(why) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                return tracing::debug!(%source, why, "message dropped");
            }
        };
        if let SipMessage::Request(request) = &mut *message {
            match self.sift(request, source, flow.is_some()) {
                Sifted::Pass => {}
                Sifted::Answer(answer) => {
                    let bytes = match flow {
                        Some(_) => {
                            outward::dress(SipMessage::Response(*answer), &self.face, source)
                        }
                        None => answer.to_bytes(),
                    };
                    return self.answer(bytes, source, flow).await;
                }
                Sifted::Drop => return,
            }
        }
        if flow.is_none() {
            nat::straighten(&mut message, source, &self.dialogs);
        }
        let (connection, from) = match flow {
            Some(flow) => (flow.channel.clone(), flow.addr.clone()),
            None => (self.connection.clone(), udp(source)),
        };
        if let (SipMessage::Response(response), Some(flow)) = (&*message, flow) {
            flow.answered(response);
            self.flows.settled(response);
        }
        // Not its queue, which has no bound: what is handed over here is worked off here.
        let handed = self.endpoint.on_received_message(*message, connection, &from);
        if let Err(error) = handed.await {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(%source, %error, "the SIP library did not take a message");
        }
    }

    /// Without state, the way that the request came.
    async fn answer(&self, bytes: Vec<u8>, source: SocketAddr, flow: Option<&Flow>) {
        match flow {
            Some(flow) => {
                // One that asks and does not read what it is told goes, by `write_ms`; one that
                // asks much at once is read on when it has been told.
                flow.write_in_turn(Raw::Answer(bytes)).await;
            }
            None => drop(self.wire.tell(&bytes, source).await),
        }
    }
}
