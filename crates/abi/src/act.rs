//! What programs return: tc's action codes and XDP's actions, by their UAPI names.

/// tc action codes (`linux/pkt_cls.h`) with the word a listing shows.
pub const TC: &[(i32, &str, &str)] = &[
    (-1, "TC_ACT_UNSPEC", "unspec"),
    (0, "TC_ACT_OK", "ok"),
    (1, "TC_ACT_RECLASSIFY", "reclassify"),
    (2, "TC_ACT_SHOT", "shot"),
    (3, "TC_ACT_PIPE", "pipe"),
    (4, "TC_ACT_STOLEN", "stolen"),
    (5, "TC_ACT_QUEUED", "queued"),
    (6, "TC_ACT_REPEAT", "repeat"),
    (7, "TC_ACT_REDIRECT", "redirect"),
    (8, "TC_ACT_TRAP", "trap"),
];

/// XDP actions (`linux/bpf.h`) with the word a listing shows.
pub const XDP: &[(u32, &str, &str)] = &[
    (0, "XDP_ABORTED", "aborted"),
    (1, "XDP_DROP", "drop"),
    (2, "XDP_PASS", "pass"),
    (3, "XDP_TX", "tx"),
    (4, "XDP_REDIRECT", "redirect"),
];

/// The word of a tc action code.
pub fn tc_word(code: i32) -> Option<&'static str> {
    TC.iter().find(|r| r.0 == code).map(|r| r.2)
}

/// The word of an XDP action.
pub fn xdp_word(code: u32) -> Option<&'static str> {
    XDP.iter().find(|r| r.0 == code).map(|r| r.2)
}
