//! Bare calls of the SIP library: each call that comes in is answered by one that goes out, with no
//! media, no rules, no journal. What memory a call costs before Undertone adds its own.

use anyhow::Result;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::sync::mpsc;
use undertone_sip::{DialogEvent, DialogHandle, Incoming, Outgoing, Sip, SipConfig};

/// Runs until killed; prints its SIP address. A call to `1NNNN` goes to user `aN` at `phones`.
pub async fn serve(phones: SocketAddr) -> Result<()> {
    let mut config = SipConfig::new((Ipv4Addr::LOCALHOST, 0).into());
    config.dialogs_max = 20_000;
    let (sip, mut incoming) = Sip::bind(config).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "sip {}", sip.local_addr())?;
    out.flush()?;
    drop(out);
    while let Some(call) = incoming.recv().await {
        tokio::spawn(join(sip.clone(), call, phones));
    }
    Ok(())
}

async fn join(sip: Sip, mut call: Incoming, phones: SocketAddr) {
    let (Some(offer), Some(n)) = (call.offer.clone(), number(&call.request_user)) else {
        call.dialog.reject(404, None);
        return;
    };
    let (dialog, mut events) = sip.call(Outgoing {
        to_uri: format!("sip:a{n}@{phones}"),
        from_user: call.from.user.clone(),
        from_name: String::new(),
        offer,
        ..Outgoing::default()
    });
    while let Some(event) = events.recv().await {
        match event {
            DialogEvent::Answered { sdp } => {
                call.dialog.answer(sdp);
                break;
            }
            DialogEvent::Failed { code, .. } => {
                call.dialog.reject(code, None);
                return;
            }
            _ => {}
        }
    }
    tokio::select! {
        () = ended(&mut call.events) => hang_up(&dialog),
        () = ended(&mut events) => hang_up(&call.dialog),
    }
}

fn number(extension: &str) -> Option<usize> {
    extension.strip_prefix('1')?.parse().ok()
}

fn hang_up(dialog: &DialogHandle) {
    dialog.bye();
}

async fn ended(events: &mut mpsc::Receiver<DialogEvent>) {
    while let Some(event) = events.recv().await {
        if matches!(event, DialogEvent::Ended { .. } | DialogEvent::Failed { .. }) {
            return;
        }
    }
}
