// Made by `npm run types` from crates/api/openapi.json. Do not edit: change the server and make it again.
export interface paths {
    "/api/v1/agents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** People with their states. */
        get: operations["list_agents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/{extension}/supervisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Starts a supervision of the agent's present call. */
        post: operations["supervise_agent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who did what, when, from where, and what came of it; newest first. */
        get: operations["list_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Live calls in the caller's scope. */
        get: operations["list_calls"];
        put?: never;
        /** Calls from an agent's phone. */
        post: operations["place_call"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calls/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One call, live or ended. */
        get: operations["get_call"];
        put?: never;
        post?: never;
        /** Ends the call for all on it. */
        delete: operations["hang_up_call"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calls/{id}/abilities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** For each mode, whether the asker may enter it now, and why not. */
        get: operations["call_abilities"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calls/{id}/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes a call that rings at your phone in the browser. */
        post: operations["answer_call"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calls/{id}/decline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Refuses a call that rings at your phone in the browser, for your devices too. */
        post: operations["decline_call"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calls/{id}/feedback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The agent says whether a supervisor's help was of use; what is said last counts. */
        post: operations["say_useful"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calls/{id}/heard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who heard whom on a call, live or ended: what was let through, and when. */
        get: operations["call_heard"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calls/{id}/help": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Why the hand is raised. */
        put: operations["give_reason"];
        /** The agent raises a hand. */
        post: operations["raise_hand"];
        /** The agent needs no help any more. */
        delete: operations["lower_hand"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calls/{id}/hold": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Puts a party on hold: it hears hold treatment only. */
        post: operations["hold_call"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calls/{id}/outcome": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** What came of a call, as its agent, who took it over, a survey or a CRM says. */
        put: operations["put_outcome"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calls/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes the hold set by this API off a party. */
        post: operations["resume_call"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calls/{id}/supervisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Starts a supervision of a call. */
        post: operations["supervise_call"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/calls/{id}/transfer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Calls somebody in place of who talks with the party; answered when they talk. */
        post: operations["transfer_call"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/demo/calls/{id}/ears/{party}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** In the demo: what this party's simulated telephone hears, as a WAV that goes on. */
        get: operations["demo_ear"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Live calls and agents as they change, over a WebSocket. */
        get: operations["events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the server is, part by part; needs the right `admin`. */
        get: operations["get_health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/help/{id}/coming": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A supervisor says that they come. */
        post: operations["help_coming"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/history/calls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Ended calls, newest first. */
        get: operations["list_history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/labels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Sets what the organisation calls things on its pages; needs the right `admin`. */
        put: operations["put_labels"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is signed in. */
        get: operations["get_me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/ice": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the browser needs before its offer: servers between it and this one. */
        get: operations["ice_servers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Change one's password; one's other sessions end. */
        put: operations["change_password"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/phone": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's phone in a browser. */
        get: operations["get_phone"];
        put?: never;
        /** Answers the browser's offer. Again from the same page: ICE restart or reload, the same leg. */
        post: operations["open_phone"];
        /** Hangs the browser's phone up, wherever it is. */
        delete: operations["close_phone"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Available, or away and why. */
        put: operations["set_state"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How one signs in here, and whether one is. */
        get: operations["session_state"];
        put?: never;
        /** Sign in; the answer sets the session's cookie. */
        post: operations["open_session"];
        /** Sign out, here or everywhere. */
        delete: operations["close_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session/first": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make the first administrator, and sign in. */
        post: operations["open_first_session"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/supervisions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One supervision, live or ended. */
        get: operations["get_supervision"];
        put?: never;
        post?: never;
        /** Leaves; what was open closes at once. */
        delete: operations["leave_supervision"];
        options?: never;
        head?: never;
        /** Changes a running supervision; answered once in force. */
        patch: operations["change_supervision"];
        trace?: never;
    };
    "/api/v1/supervisions/{id}/agent": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Holds, resumes or removes the agent, or hands a takeover back. */
        post: operations["agent_action"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/supervisions/{id}/heard-before": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How many calls of these agents its supervisor has heard in seven days. */
        get: operations["heard_before"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/supervisions/{id}/marks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A note, a flag for review or a bookmark in the call's timeline; no agent is shown it. */
        post: operations["add_mark"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/supervisions/{id}/prompts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A line for the agent to read. */
        post: operations["send_prompt"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/supervisions/{id}/replies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The agent answers a supervisor without a word. */
        post: operations["send_reply"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Whether the asker may enter a mode now, and if not, why not. */
        Ability: {
            allowed: boolean;
            /** @description Why not; with `allowed`, what to know (`customer_on_hold`). */
            reasons: string[];
        };
        AddMark: {
            kind: components["schemas"]["MarkWord"];
            /**
             * @description At most 500 characters; a note has some.
             * @example Asks for the address twice
             */
            text?: string | null;
        };
        Agent: {
            call_id?: string | null;
            extension?: string | null;
            id: string;
            name: string;
            next?: components["schemas"]["NextState"] | null;
            /** @description What was given for being away. */
            reason?: string | null;
            /** Format: date-time */
            since: string;
            /** @description `available`, `on_call`, `wrap_up` or `not_available`. */
            state: string;
        };
        AgentActionRequest: {
            action: components["schemas"]["AgentActionWord"];
        };
        /** @enum {string} */
        AgentActionWord: "hold" | "resume" | "remove" | "hand_back";
        /**
         * @description What becomes of the agent at a takeover.
         * @enum {string}
         */
        AgentAfterWord: "removed" | "held" | "listening" | "stays";
        AgentList: {
            items: components["schemas"]["Agent"][];
        };
        /** @description Why a call may want a supervisor, as far as only the server can know. */
        Attention: {
            /**
             * @description `help_requested`, `one_sided`, `silent` or `talk_over`.
             * @example silent
             */
            code: string;
            /**
             * Format: int32
             * @description Of `talk_over`: how often in the last minute; of `help_requested`: how often it was said
             *     again because nobody came.
             */
            count?: number | null;
            detail?: components["schemas"]["HelpReasonWord"] | null;
            /** Format: date-time */
            since: string;
        };
        /** @description Newest first. */
        AuditList: {
            items: components["schemas"]["AuditRow"][];
            /** @description Give it as `cursor` for the rows before these; null at the end. */
            next_cursor?: string | null;
        };
        /** @description Who did what, when, from where, and what came of it. */
        AuditRow: {
            /** Format: date-time */
            at: string;
            call_id?: string | null;
            /** @description `web`, `dtmf` or `api`. */
            channel?: string | null;
            detail: {
                [key: string]: string;
            };
            /** @description SHA-256 over `prev_hash` and this row, in hex. */
            hash: string;
            key_id?: string | null;
            origin: string;
            /** @description `allowed` or `refused`. */
            outcome: string;
            /** @description Null: the system itself. */
            person_id?: string | null;
            /** @description Hash of the row before, in hex. */
            prev_hash: string;
            reasons: string[];
            /** Format: int64 */
            seq: number;
            supervision_id?: string | null;
            /** @description A code such as `supervision.join`. */
            what: string;
        };
        Call: {
            /** Format: date-time */
            answered_at?: string | null;
            /** @description Why it may want a supervisor. What is measured is known only while somebody looks. */
            attention: components["schemas"]["Attention"][];
            campaign?: string | null;
            /** @description `inbound`, `outbound` or `internal`. */
            direction: string;
            end_reason?: string | null;
            /** Format: date-time */
            ended_at?: string | null;
            id: string;
            outcome?: components["schemas"]["Outcome"] | null;
            parties: components["schemas"]["Party"][];
            queue?: string | null;
            /** Format: date-time */
            started_at: string;
            /** @description `queued`, `ringing`, `talking`, `held` or `ended`. */
            state: string;
            supervisions: components["schemas"]["Supervision"][];
            timeline: components["schemas"]["Moment"][];
            timing: components["schemas"]["Timing"];
        };
        CallList: {
            items: components["schemas"]["Call"][];
        };
        /** @description Newest first; a page may hold fewer than asked for, and none, though there are more. */
        CallPage: {
            items: components["schemas"]["Call"][];
            /** @description Give it as `cursor` for the calls before these; null at the end. */
            next_cursor?: string | null;
        };
        ChangePassword: {
            /** @description 10 to 200 characters. */
            new: string;
            old: string;
        };
        /** @description What is left out stays as it is. */
        ChangeRequest: {
            agent_after?: components["schemas"]["AgentAfterWord"] | null;
            alert?: boolean | null;
            mode?: components["schemas"]["ModeWord"] | null;
            muted?: boolean | null;
            targets?: string[] | null;
        };
        DemoPerson: {
            about: string;
            /**
             * @description The Host under which this role is opened, so that each has a cookie of its own.
             * @example mia.localhost:8080
             */
            host: string;
            login: string;
            name: string;
            password: string;
            /** @example supervisor */
            role: string;
        };
        Ear: {
            hears: string[];
            /** @description Null: the supervisor of a stream, who has no seat. */
            party_id?: string | null;
            supervision_id?: string | null;
        };
        /** @enum {string} */
        ExtentWord: "this_call" | "next_call" | "all_calls";
        /** @enum {string} */
        FollowWord: "call" | "agent";
        /** @description One frame, told apart by `type`. */
        Frame: {
            agents: components["schemas"]["Agent"][];
            at: string;
            calls: components["schemas"]["Call"][];
            cursor: string;
            help: components["schemas"]["Help"][];
            /** @enum {string} */
            type: "snapshot";
        } | {
            agents: components["schemas"]["Agent"][];
            at: string;
            calls: components["schemas"]["Call"][];
            cursor: string;
            gone_agents: string[];
            gone_calls: string[];
            gone_help: string[];
            help: components["schemas"]["Help"][];
            /** @enum {string} */
            type: "changes";
        } | {
            at: string;
            call_id: string;
            parties: components["schemas"]["MeterItem"][];
            /** @enum {string} */
            type: "meters";
        } | {
            phone?: components["schemas"]["Phone"] | null;
            /** @enum {string} */
            type: "phone";
        } | {
            at: string;
            call_id: string;
            from: components["schemas"]["Named"];
            id: string;
            supervision_id: string;
            text: string;
            /** @enum {string} */
            type: "prompt";
        } | {
            at: string;
            call_id: string;
            from: components["schemas"]["Named"];
            id: string;
            reply: components["schemas"]["ReplyWordWire"];
            supervision_id: string;
            /** @enum {string} */
            type: "reply";
        } | {
            me: components["schemas"]["MeWire"];
            /** @enum {string} */
            type: "me";
        } | {
            /** @enum {string} */
            type: "ping";
        } | {
            reason: string;
            /** @enum {string} */
            type: "signed_out";
        };
        /** @description Why, in one press. */
        GiveReason: {
            /** @default null */
            reason?: components["schemas"]["HelpReasonWord"] | null;
        };
        Health: {
            at: string;
            items: components["schemas"]["HealthItem"][];
            /** @description The worst of the parts. */
            state: components["schemas"]["HealthState"];
        };
        /** @description One part. */
        HealthItem: {
            /**
             * @description What `value` and `detail` count, by name: of `audit_chain` `rows`, `checked_min`, `waiting`,
             *     `failed`; empty where there is nothing more to count.
             */
            counts: {
                [key: string]: number;
            };
            /** @description What it means, or what to do about it, in one English sentence; null: nothing. */
            detail?: string | null;
            /**
             * @description `version`, `uptime`, `database`, `audit_chain`, `disk_free`, `clock`, `open_files`,
             *     `media_threads` (99 % of ticks were no later, last minute), `rtp_ports`, `sip_listeners`,
             *     `trunks` (only where there are any), `certificate`, `privacy_alarms`, `live_calls`,
             *     `http_sessions`; there may be more one day.
             * @example database
             */
            id: string;
            state: components["schemas"]["HealthState"];
            /**
             * @description With its unit.
             * @example 0.4 ms
             */
            value: string;
        };
        /** @enum {string} */
        HealthState: "ok" | "warn" | "bad";
        /** @description From this instant until the next item. */
        Heard: {
            /** Format: date-time */
            at: string;
            /** @description Who is not named hears nobody. */
            ears: components["schemas"]["Ear"][];
        };
        HeardAgent: {
            /**
             * Format: int32
             * @description Of theirs that this supervisor has heard since then, this one counted.
             */
            calls: number;
            id: string;
            name: string;
        };
        HeardBefore: {
            /** @description Who is on the call. */
            agents: components["schemas"]["HeardAgent"][];
            /**
             * Format: date-time
             * @description Seven days ago.
             */
            since: string;
        };
        HeardList: {
            /** @description Oldest first; what is older than a thousand changes is left out. */
            items: components["schemas"]["Heard"][];
        };
        Help: {
            agent: components["schemas"]["Named"];
            /** Format: date-time */
            at: string;
            call_id: string;
            coming?: components["schemas"]["Named"] | null;
            id: string;
            reason?: components["schemas"]["HelpReasonWord"] | null;
            /**
             * Format: int32
             * @description Supervisors whose pages showed it at once.
             */
            told: number;
            /**
             * Format: int32
             * @description How often it was said again because nobody came: after 30 s, and after 60 s.
             */
            urged: number;
        };
        /**
         * @description Why a hand is raised.
         * @enum {string}
         */
        HelpReasonWord: "policy" | "angry_customer" | "wants_supervisor" | "technical" | "safety";
        /** @description Which party; none means the customer. */
        HoldRequest: {
            /** @default null */
            party?: string | null;
        };
        /** @description Servers by which a browser may reach this one from behind a firewall. */
        IceServer: {
            credential: string;
            /**
             * Format: int64
             * @description From now on; to be asked for anew before: a relay that is in use asks for it again.
             */
            lasts_ms: number;
            urls: string[];
            username: string;
        };
        IceServers: {
            ice_servers: components["schemas"]["IceServer"][];
        };
        Labels: {
            /**
             * @description `undertone`, `pbx`, `helpdesk`, `sales`, `talk` or `enterprise`.
             * @example undertone
             */
            preset: string;
            /**
             * @description Single terms by their code (`listen`, `whisper`, `agent`, …) over the preset's words.
             * @example {
             *       "whisper": "Coach"
             *     }
             */
            words: {
                [key: string]: string;
            };
        };
        LabelsAsked: {
            preset: string;
            /** @description At most 40 characters each; an empty one is the preset's again. */
            words?: {
                [key: string]: string;
            };
        };
        /** @description How the supervisor's sound travels. */
        LegWire: {
            /** @enum {string} */
            kind: "phone";
        } | {
            /** @enum {string} */
            kind: "sip";
            uri: string;
        } | {
            /** @enum {string} */
            kind: "stream";
        };
        /** @description As it stands in the call's timeline. */
        Mark: {
            /** Format: date-time */
            at: string;
            kind: components["schemas"]["MarkWord"];
            text?: string | null;
        };
        /**
         * @description What a supervisor writes down.
         * @enum {string}
         */
        MarkWord: "note" | "flag" | "bookmark";
        MeDevice: {
            id: string;
            name: string;
            ready: boolean;
            /** @description What `leg: {"kind":"sip","uri":…}` takes. */
            uri: string;
        };
        MePerson: {
            extension?: string | null;
            id: string;
            login?: string | null;
            name: string;
        };
        /** @description From when on something lasts long or is too much of it, as the configuration has it. */
        MePolicy: {
            /**
             * Format: int64
             * @description A customer on hold.
             */
            hold_long_ms: number;
            /**
             * Format: int64
             * @description Nobody says anything.
             */
            silence_ms: number;
            /** Format: int64 */
            talk_long_ms: number;
            /**
             * Format: int64
             * @description One whisper.
             */
            whisper_long_ms: number;
            /**
             * Format: double
             * @example 1.5
             */
            whisper_per_min: number;
            /**
             * Format: double
             * @description Of the time that one supervises; 0 to 1.
             * @example 0.1
             */
            whisper_share: number;
            /** Format: int64 */
            wrap_up_long_ms: number;
        };
        MeServer: {
            demo: boolean;
            version: string;
            /**
             * Format: int64
             * @description How long an agent is in wrap-up after a call.
             */
            wrap_up_ms: number;
        };
        /** @description The signed-in person. */
        MeWire: {
            /** @description What a page sends as `X-Undertone-Csrf`; null for an API key. */
            csrf?: string | null;
            /** @description The person's own telephones. */
            devices: components["schemas"]["MeDevice"][];
            /** @description What the organisation calls things. */
            labels: components["schemas"]["Labels"];
            person: components["schemas"]["MePerson"];
            policy: components["schemas"]["MePolicy"];
            rights: string[];
            /**
             * @description `administrator`, `supervisor` or `agent`: what the pages open with. Rights decide.
             * @example supervisor
             */
            role: string;
            server: components["schemas"]["MeServer"];
            server_time: string;
        };
        MeterItem: {
            /** @description Whose sound is measured at this party's output. */
            hears: string[];
            id: string;
            /**
             * Format: float
             * @description Of what the party says, of the last 200 ms; null: nothing came.
             */
            level_dbfs?: number | null;
            speaking: boolean;
        };
        /**
         * @description Aliases taken: monitor, silent; coach; join; intercept.
         * @enum {string}
         */
        ModeWord: "listen" | "whisper" | "barge" | "takeover";
        Moment: {
            /** Format: date-time */
            at: string;
            detail: string;
            /** @description A code such as `answered`, `joined`, `mode_changed`, `held`. */
            what: string;
            who: string;
        };
        Named: {
            id: string;
            name: string;
        };
        NextState: {
            reason?: string | null;
            /** @description `not_available`. */
            state: string;
        };
        OpenFirstSession: {
            /** @example ada */
            login: string;
            /** @example Ada Admin */
            name: string;
            /** @description 10 to 200 characters. */
            password: string;
            /** @description From the one-time link. */
            token: string;
        };
        OpenPhoneRequest: {
            /** @description Takes the phone from another page of the same person. */
            here?: boolean;
            /** @description The browser's offer: one audio stream, sendrecv. Its candidates are not needed. */
            sdp: string;
            /** @description A random name of the page, kept over a reload. */
            tab?: string;
        };
        OpenSession: {
            /** @example mia */
            login: string;
            password: string;
        };
        OpenedPhone: components["schemas"]["Phone"] & {
            /** @description The answer, with our candidates. */
            sdp: string;
        };
        /** @description What is null nobody has said. */
        Outcome: {
            /**
             * Format: int32
             * @description 1 to 5; 1 is the worst.
             */
            csat?: number | null;
            disposition?: string | null;
            reason?: string | null;
            resolved?: boolean | null;
            /** Format: date-time */
            set_at: string;
            set_by?: components["schemas"]["Named"] | null;
            /**
             * Format: double
             * @description In the organisation's own unit.
             */
            value?: number | null;
        };
        /** @description What is left out stays as it is; null takes it back. */
        OutcomeAsked: {
            /**
             * Format: int32
             * @description 1 to 5; 1 is the worst.
             */
            csat?: number | null;
            /**
             * @description 1 to 40 characters on one line.
             * @example sale
             */
            disposition?: string | null;
            /** @description Why the customer called; 1 to 80 characters on one line. */
            reason?: string | null;
            resolved?: boolean | null;
            /**
             * Format: double
             * @description Two decimals at most; up to 10,000,000,000 either way.
             */
            value?: number | null;
        };
        /** @enum {string} */
        OwnState: "available" | "not_available";
        Party: {
            connected: boolean;
            /** @description The parties whose sound was measured at this party's output just now. */
            hears: string[];
            held: boolean;
            /** @description Unique within the call. */
            id: string;
            /** @description An agent whose call was taken over, and who stays to listen. */
            listening_only: boolean;
            muted: boolean;
            name: string;
            /** @description `internal` or `external`. */
            net: string;
            number: string;
            person_id?: string | null;
            /** @description Nothing comes from there just now, though its leg stands: a browser that sends no more. */
            quiet: boolean;
            /** @description `customer`, `agent` or `supervisor`. */
            role: string;
            /** @description The page that steers it is gone, and it is heard no more. */
            unattended: boolean;
        };
        Phone: {
            /** @description Present while it is lent to a call. */
            call_id?: string | null;
            ice_servers: components["schemas"]["IceServer"][];
            /** @description The same over reloads and changes of network. */
            id: string;
            /**
             * @description What the browser is asked to send, where it can switch without a new offer: `opus`, `PCMU`,
             *     `PCMA` or `G722`.
             */
            send_codec: string;
            /**
             * @description `connecting`, `up` or `lost`; `elsewhere` to a page that gave its `tab`, while another page
             *     has it.
             */
            state: string;
            supervision_id?: string | null;
        };
        PlaceCallRequest: {
            /**
             * @description Extension of the agent whose phone rings first.
             * @example 201
             */
            from_agent: string;
            /**
             * @description Extension, number or `sip:` URI.
             * @example 301
             */
            to: string;
        };
        /** @description RFC 9457, with `code` and `reasons`. */
        Problem: {
            /**
             * @description Stable; made to be compared.
             * @example not_allowed
             */
            code: string;
            /** @description One plain sentence. */
            detail: string;
            /** @description For a refusal: every reason, the first is `code`. */
            reasons?: string[];
            /**
             * Format: int32
             * @example 403
             */
            status: number;
            /** @example Forbidden */
            title: string;
            /**
             * @description Always `about:blank`: `code` says which problem it is.
             * @example about:blank
             */
            type: string;
        };
        /** @description In the answer to a change that goes back, *nothing was heard* is true where `heard` is false. */
        Raise: {
            /** Format: date-time */
            at: string;
            /** @description Whether the way to the customer was ever open since then. */
            heard: boolean;
            mode: components["schemas"]["ModeWord"];
        };
        /** @description Why, in one press; may be left out. */
        RaiseHand: {
            /** @default null */
            reason?: components["schemas"]["HelpReasonWord"] | null;
        };
        /**
         * @description What an agent answers without a word.
         * @enum {string}
         */
        ReplyWordWire: "done" | "say_again" | "cannot" | "take_it";
        /** @description Which party; none means the customer. */
        ResumeRequest: {
            /** @default null */
            party?: string | null;
        };
        SayUseful: {
            /** @description A supervision that is over. */
            supervision_id: string;
            useful: components["schemas"]["UsefulWord"];
        };
        SendPrompt: {
            /**
             * @description 1 to 200 characters on one line.
             * @example Verify the account first
             */
            text: string;
        };
        SendReply: {
            reply: components["schemas"]["ReplyWordWire"];
        };
        /** @description A prompt or reply that was passed on. */
        Sent: {
            /** Format: date-time */
            at: string;
            id: string;
            reply?: components["schemas"]["ReplyWordWire"] | null;
            text?: string | null;
        };
        /** @description What the sign-in page needs. */
        SessionState: {
            /** @description The demo's ready sign-ins, told to this machine only. */
            demo?: components["schemas"]["DemoPerson"][] | null;
            /** @description Nobody can sign in yet: use the one-time link that the server printed. */
            first_run: boolean;
            methods: string[];
            signed_in: boolean;
        };
        SetState: {
            /**
             * @description Of being away; 1 to 40 characters.
             * @example lunch
             */
            reason?: string | null;
            state: components["schemas"]["OwnState"];
        };
        Span: {
            /** Format: date-time */
            from: string;
            mode: components["schemas"]["ModeWord"];
            /**
             * Format: date-time
             * @description Null while it lasts.
             */
            to?: string | null;
        };
        /** @description How to supervise. */
        SuperviseRequest: {
            agent_after?: components["schemas"]["AgentAfterWord"] | null;
            /** @description Tell the agent also in listen. */
            alert?: boolean;
            extent?: components["schemas"]["ExtentWord"] | null;
            follow?: components["schemas"]["FollowWord"] | null;
            leg: components["schemas"]["LegWire"];
            mode: components["schemas"]["ModeWord"];
            reason?: string;
            /** @description Whom a whisper is for; by default the call's agent. */
            targets?: string[];
        };
        /** @description One stay of one supervisor on one call. */
        Supervision: {
            alert: boolean;
            call_id: string;
            end_reason?: string | null;
            /** Format: date-time */
            ended_at?: string | null;
            extent: components["schemas"]["ExtentWord"];
            /**
             * @description By what it came to the mode that it is in, where nobody asked for that: `control_lost`,
             *     `target_left`, `agent_left` and others; else null.
             */
            fell_because?: string | null;
            follow: components["schemas"]["FollowWord"];
            /**
             * Format: int32
             * @description Guard before the last raise is heard by the customer; 0 if none ran.
             */
            guard_ms: number;
            id: string;
            last_raise?: components["schemas"]["Raise"] | null;
            leg: components["schemas"]["SupervisionLeg"];
            mode: components["schemas"]["ModeWord"];
            muted: boolean;
            /** @description The supervisor's own party on the call; null for a stream. */
            party_id?: string | null;
            /** @description The policy values in force when it began. */
            policy: {
                [key: string]: string;
            };
            reason: string;
            spans: components["schemas"]["Span"][];
            /** Format: date-time */
            started_at: string;
            /** @description `connecting`, `live`, `ended` or `failed`. */
            state: string;
            supervisor: components["schemas"]["Supervisor"];
            /** @description Whom a whisper is for. */
            targets: string[];
            /**
             * Format: int64
             * @description Counts up with each change; for `If-Match`.
             */
            version: number;
        };
        /** @description The leg of a supervision that exists. */
        SupervisionLeg: {
            /** @description For `sip`: which device was called, or called. */
            device_id?: string | null;
            /** @description `phone`, `sip` or `stream`. */
            kind: string;
            /** @description For `sip`, instead: behind which trunk the supervisor called from. */
            trunk_id?: string | null;
        };
        Supervisor: {
            id: string;
            name: string;
        };
        /** @description Milliseconds, so far. */
        Timing: {
            /** Format: int64 */
            barge_ms: number;
            /** Format: int64 */
            duration_ms: number;
            /** Format: int64 */
            hold_ms: number;
            /** Format: int64 */
            listen_ms: number;
            /**
             * Format: int64
             * @description What of the duration is none of queue, ring, talk and hold.
             */
            other_ms: number;
            /** Format: int64 */
            queue_ms: number;
            /** Format: int64 */
            ring_ms: number;
            /** Format: int64 */
            takeover_ms: number;
            /** Format: int64 */
            talk_ms: number;
            /** Format: int64 */
            whisper_ms: number;
        };
        /** @description To whom, and which party; none means the customer. */
        TransferRequest: {
            party?: string | null;
            /**
             * @description Extension, number or `sip:` URI.
             * @example 202
             */
            to: string;
        };
        /**
         * @description Whether a supervisor's help was of use.
         * @enum {string}
         */
        UsefulWord: "yes" | "not_really" | "too_much";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    list_agents: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Agents */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AgentList"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    supervise_agent: {
        parameters: {
            query?: never;
            header?: {
                /** @description Sent again within ten minutes, the same answer comes again */
                "Idempotency-Key"?: string | null;
                /** @description `respond-async`: answer at `connecting` */
                Prefer?: string | null;
            };
            path: {
                /** @description The agent's extension */
                extension: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SuperviseRequest"];
            };
        };
        responses: {
            /** @description Live; for a stream the body is the sound */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Supervision"];
                    "audio/wav": number[];
                };
            };
            /** @description Connecting (`Prefer: respond-async`) */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Supervision"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_audit: {
        parameters: {
            query?: {
                /** @description Rows about this call. */
                call?: string;
                /** @description Rows about what this person did. */
                person?: string;
                /** @description From this instant on (RFC 3339). */
                from?: string;
                /** @description Before this instant. */
                to?: string;
                /** @description What the page before gave as `next_cursor`. */
                cursor?: string;
                /** @description 1 to 1000; if left out 100, or all as CSV. */
                limit?: number;
                /** @description Counts more than `Accept: text/csv`. */
                format?: "json" | "csv";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of the audit; or all of it as CSV */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditList"];
                    "text/csv": string;
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_calls: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Live calls */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CallList"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    place_call: {
        parameters: {
            query?: never;
            header?: {
                /** @description Sent again within ten minutes, the same answer comes again */
                "Idempotency-Key"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlaceCallRequest"];
            };
        };
        responses: {
            /** @description The call, talking */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Call"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_call: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The call's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The call */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Call"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    hang_up_call: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The call's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The call has ended */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    call_abilities: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The call's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description For each mode, allowed or why not */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: components["schemas"]["Ability"];
                    };
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    answer_call: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The call's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The call: the phone is in it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Call"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    decline_call: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The call's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It rings no more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    say_useful: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The call's id; it may have ended */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SayUseful"];
            };
        };
        responses: {
            /** @description Written */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    call_heard: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The call's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Each change */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HeardList"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    give_reason: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The call's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GiveReason"];
            };
        };
        responses: {
            /** @description The hand */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Help"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    raise_hand: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The call's id */
                id: string;
            };
            cookie?: never;
        };
        /** @description May be left out */
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RaiseHand"] | null;
            };
        };
        responses: {
            /** @description Raised */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Help"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    lower_hand: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The call's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Lowered */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    hold_call: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The call's id */
                id: string;
            };
            cookie?: never;
        };
        /** @description May be left out */
        requestBody?: {
            content: {
                "application/json": components["schemas"]["HoldRequest"] | null;
            };
        };
        responses: {
            /** @description The call */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Call"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_outcome: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The call's id; it may have ended */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OutcomeAsked"];
            };
        };
        responses: {
            /** @description All that is kept of it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Outcome"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resume_call: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The call's id */
                id: string;
            };
            cookie?: never;
        };
        /** @description May be left out */
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ResumeRequest"] | null;
            };
        };
        responses: {
            /** @description The call */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Call"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    supervise_call: {
        parameters: {
            query?: never;
            header?: {
                /** @description Sent again within ten minutes, the same answer comes again */
                "Idempotency-Key"?: string | null;
                /** @description `respond-async`: answer at `connecting` */
                Prefer?: string | null;
            };
            path: {
                /** @description The call's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SuperviseRequest"];
            };
        };
        responses: {
            /** @description Live; for a stream the body is the sound */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Supervision"];
                    "audio/wav": number[];
                };
            };
            /** @description Connecting (`Prefer: respond-async`) */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Supervision"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    transfer_call: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The call's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TransferRequest"];
            };
        };
        responses: {
            /** @description The call, with the new party */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Call"];
                };
            };
            /** @description A refusal or mistake; the call is as it was */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    demo_ear: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A call that the asker supervises */
                id: string;
                /** @description The customer, or an agent at a simulated telephone */
                party: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sound, until the supervision or the call ends */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "audio/wav": unknown;
                };
            };
            /** @description A refusal or mistake; 404 `no_such_ear` outside the demo */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    events: {
        parameters: {
            query?: {
                /** @description The `cursor` of the last frame that was taken; unknown or too old: a fresh snapshot. */
                after?: string;
                /**
                 * @description The page's `tab`, as given to `POST /me/phone`: then it is told when another page takes the
                 *     phone (`elsewhere`).
                 */
                tab?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Frames of JSON follow */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Frame"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Also when a part is not well */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    help_coming: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The help's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The hand */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Help"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    list_history: {
        parameters: {
            query?: {
                /** @description That began at this instant or later (RFC 3339). */
                from?: string;
                /** @description That began before this instant. */
                to?: string;
                /** @description On which this person was an agent. */
                agent?: string;
                queue?: string;
                /** @description Whether anybody supervised it. */
                supervised?: boolean;
                /** @description What the page before gave as `next_cursor`. */
                cursor?: string;
                /** @description 1 to 1000; if left out 100, or all as CSV. */
                limit?: number;
                /** @description Counts more than `Accept: text/csv`. */
                format?: "json" | "csv";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of calls; or all of them as CSV */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CallPage"];
                    "text/csv": string;
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    put_labels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LabelsAsked"];
            };
        };
        responses: {
            /** @description As they are now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Labels"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The person */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MeWire"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    ice_servers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description May be none */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IceServers"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangePassword"];
            };
        };
        responses: {
            /** @description Changed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `bad_sign_in`, `too_many_tries` */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_phone: {
        parameters: {
            query?: {
                /** @description The page that asks: then `state` may be `elsewhere`. */
                tab?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The phone */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Phone"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    open_phone: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OpenPhoneRequest"];
            };
        };
        responses: {
            /** @description The phone, and our answer */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenedPhone"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    close_phone: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is closed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    set_state: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetState"];
            };
        };
        responses: {
            /** @description As the board shows it */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Agent"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    session_state: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Always */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionState"];
                };
            };
        };
    };
    open_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OpenSession"];
            };
        };
        responses: {
            /** @description Signed in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MeWire"];
                };
            };
            /** @description `bad_sign_in`, `too_many_tries` */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    close_session: {
        parameters: {
            query?: {
                /** @description End every session of this person. */
                everywhere?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed out */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    open_first_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OpenFirstSession"];
            };
        };
        responses: {
            /** @description Signed in */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MeWire"];
                };
            };
            /** @description `no_such_link`, `bad_request` */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    get_supervision: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The supervision's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The supervision */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Supervision"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    leave_supervision: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The supervision's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The supervision */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Supervision"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    change_supervision: {
        parameters: {
            query?: never;
            header?: {
                /** @description Act on this version only */
                "If-Match"?: string | null;
            };
            path: {
                /** @description The supervision's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeRequest"];
            };
        };
        responses: {
            /** @description The supervision */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Supervision"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    agent_action: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The supervision's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AgentActionRequest"];
            };
        };
        responses: {
            /** @description The supervision */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Supervision"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    heard_before: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description One's own running supervision */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By agent */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HeardBefore"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    add_mark: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The supervision's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddMark"];
            };
        };
        responses: {
            /** @description Written down */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mark"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    send_prompt: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The supervision's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendPrompt"];
            };
        };
        responses: {
            /** @description Passed on */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sent"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    send_reply: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The supervision's id */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendReply"];
            };
        };
        responses: {
            /** @description Passed on */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sent"];
                };
            };
            /** @description A refusal or mistake */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
