//! G.711 A-law and µ-law by tables (ITU-T G.711, tables 1a to 2b). No state.

/// Payload bytes that decode to silence, one a law: what a leg sends when it has nothing to say.
pub const ULAW_SILENCE: u8 = 0xff;
pub const ALAW_SILENCE: u8 = 0xd5;

pub static ULAW_TO_LINEAR: [i16; 256] = ulaw_table();
pub static ALAW_TO_LINEAR: [i16; 256] = alaw_table();
// Indexed by the sample's upper 14 (µ) or 13 (A) bits: the laws do not see the rest.
static LINEAR_TO_ULAW: [u8; 1 << 14] = to_ulaw_table();
static LINEAR_TO_ALAW: [u8; 1 << 13] = to_alaw_table();

#[inline]
pub fn linear_to_ulaw(sample: i16) -> u8 {
    LINEAR_TO_ULAW[(sample as u16 >> 2) as usize]
}

#[inline]
pub fn linear_to_alaw(sample: i16) -> u8 {
    LINEAR_TO_ALAW[(sample as u16 >> 3) as usize]
}

const fn ulaw_table() -> [i16; 256] {
    let mut table = [0i16; 256];
    let mut code = 0;
    while code < 256 {
        let bits = !(code as u8);
        let exponent = (bits >> 4) & 7;
        let mantissa = (bits & 15) as i32;
        let magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84;
        table[code] = if bits & 0x80 != 0 { -magnitude as i16 } else { magnitude as i16 };
        code += 1;
    }
    table
}

const fn alaw_table() -> [i16; 256] {
    let mut table = [0i16; 256];
    let mut code = 0;
    while code < 256 {
        let bits = code as u8 ^ 0x55;
        let exponent = (bits >> 4) & 7;
        let mantissa = ((bits & 15) as i32) << 4;
        let magnitude = match exponent {
            0 => mantissa + 8,
            e => (mantissa + 0x108) << (e - 1),
        };
        table[code] = if bits & 0x80 != 0 { magnitude as i16 } else { -magnitude as i16 };
        code += 1;
    }
    table
}

const fn to_ulaw_table() -> [u8; 1 << 14] {
    let mut table = [0u8; 1 << 14];
    let mut index = 0;
    while index < 1 << 14 {
        let sample = ((index << 2) as u16 as i16) as i32;
        let (sign, magnitude) = if sample < 0 { (0x80u8, -sample) } else { (0, sample) };
        let clipped = if magnitude > 32_635 { 32_635 } else { magnitude };
        let biased = clipped + 0x84;
        let exponent = 31 - (biased as u32).leading_zeros() - 7;
        let mantissa = (biased >> (exponent + 3)) & 15;
        table[index] = !(sign | (exponent as u8) << 4 | mantissa as u8);
        index += 1;
    }
    table
}

const fn to_alaw_table() -> [u8; 1 << 13] {
    let mut table = [0u8; 1 << 13];
    let mut index = 0;
    while index < 1 << 13 {
        let sample = ((index << 3) as u16 as i16) as i32;
        // One's complement for negatives: -1 is in the first negative interval (G.711 table 1b).
        let (sign, magnitude) = if sample < 0 { (0u8, !sample) } else { (0x80, sample) };
        let code = if magnitude < 256 {
            magnitude >> 4
        } else {
            let exponent = 31 - (magnitude as u32).leading_zeros() - 7;
            (exponent as i32) << 4 | ((magnitude >> (exponent + 3)) & 15)
        };
        table[index] = (sign | code as u8) ^ 0x55;
        index += 1;
    }
    table
}
