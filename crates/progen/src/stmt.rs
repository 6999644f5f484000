//! The kinds of statements and how often each is chosen.

use crate::ProgType;
use crate::fun::Fun;
use crate::state::Kind;

/// One kind of statement: its weight, when it is possible, and what emits it.
struct Stmt {
    weight: u32,
    possible: fn(&Fun) -> bool,
    emit: fn(&mut Fun),
}

const fn stmt(weight: u32, possible: fn(&Fun) -> bool, emit: fn(&mut Fun)) -> Stmt {
    Stmt { weight, possible, emit }
}

/// The possible conditions.
mod when {
    use super::*;

    pub(super) fn always(_: &Fun) -> bool {
        true
    }

    pub(super) fn shallow(f: &Fun) -> bool {
        f.nesting < 3
    }

    pub(super) fn may_loop(f: &Fun) -> bool {
        f.nesting < 3 && f.loops.len() < 2 && f.times < 32
    }

    pub(super) fn may_call(f: &Fun) -> bool {
        f.level < crate::calls::MAX_LEVEL
    }

    pub(super) fn in_loop(f: &Fun) -> bool {
        !f.loops.is_empty()
    }

    pub(super) fn nested(f: &Fun) -> bool {
        f.nesting > 0 && f.nesting < 3
    }

    pub(super) fn ctx(f: &Fun) -> bool {
        f.ctx.is_some()
    }

    pub(super) fn skb(f: &Fun) -> bool {
        f.ctx.is_some() && f.world.prog_type != ProgType::Xdp
    }

    pub(super) fn legacy(f: &Fun) -> bool {
        f.legacy_loads_possible()
    }

    pub(super) fn direct_packet(f: &Fun) -> bool {
        f.ctx.is_some() && f.world.prog_type != ProgType::SocketFilter
    }

    pub(super) fn has_mem(f: &Fun) -> bool {
        f.state.regs_where(|k| matches!(k, Kind::Mem { .. })).next().is_some()
    }

    pub(super) fn has_packet(f: &Fun) -> bool {
        f.state.regs_where(|k| matches!(k, Kind::Packet { .. })).next().is_some()
    }
}

const STMTS: [Stmt; 29] = [
    stmt(26, when::always, Fun::alu_stmt),
    stmt(5, when::always, Fun::move_stmt),
    stmt(3, when::always, Fun::imm64_stmt),
    stmt(4, when::always, Fun::endian_stmt),
    stmt(4, when::always, Fun::movsx_stmt),
    stmt(3, when::always, Fun::neg_stmt),
    stmt(10, when::always, Fun::stack_store_stmt),
    stmt(6, when::always, Fun::stack_load_stmt),
    stmt(8, when::always, Fun::stack_touch_stmt),
    stmt(2, when::always, Fun::stack_variable_stmt),
    stmt(2, when::always, Fun::stack_pointer_stmt),
    stmt(12, when::has_mem, Fun::mem_touch_stmt),
    stmt(4, when::has_mem, Fun::mem_variable_stmt),
    stmt(5, when::always, Fun::spill_stmt),
    stmt(5, when::always, Fun::fill_stmt),
    stmt(3, when::always, Fun::map_value_stmt),
    stmt(3, when::shallow, Fun::map_lookup_stmt),
    stmt(2, when::always, Fun::map_update_stmt),
    stmt(1, when::always, Fun::map_delete_stmt),
    stmt(8, when::has_packet, Fun::packet_touch_stmt),
    stmt(3, when::direct_packet, Fun::packet_stmt),
    stmt(2, when::legacy, Fun::legacy_stmt),
    stmt(4, when::ctx, Fun::ctx_read_stmt),
    stmt(2, when::skb, Fun::ctx_write_stmt),
    stmt(4, when::always, Fun::helper_stmt),
    stmt(10, when::shallow, Fun::if_stmt),
    stmt(3, when::may_loop, Fun::loop_stmt),
    stmt(2, when::may_call, Fun::call_stmt),
    stmt(2, when::in_loop, Fun::break_stmt),
];

/// Chosen apart: leaving early makes for short outputs.
const EXIT: Stmt = stmt(1, when::nested, Fun::exit_stmt);

/// What a program is planned to contain, each with its probability in percent, besides what chance brings.
const PLAN: [Stmt; 6] = [
    stmt(34, when::may_loop, Fun::loop_stmt),
    stmt(34, when::may_call, Fun::call_stmt),
    stmt(34, when::always, Fun::atomic_stmt),
    stmt(34, when::shallow, Fun::map_lookup_stmt),
    stmt(45, when::direct_packet, Fun::packet_stmt),
    stmt(25, when::legacy, Fun::legacy_stmt),
];

impl Fun {
    /// One statement of any possible kind.
    pub(crate) fn statement(&mut self) {
        if self.rng().below(150) == 0 && (EXIT.possible)(self) {
            return (EXIT.emit)(self);
        }
        let weights = STMTS.each_ref().map(|s| if (s.possible)(self) { s.weight } else { 0 });
        let mut at = self.rng().below(weights.iter().sum());
        for (s, weight) in STMTS.iter().zip(weights) {
            if at < weight {
                return (s.emit)(self);
            }
            at -= weight;
        }
    }

    /// The main function's statements: planned ones among others.
    pub(crate) fn planned_statements(&mut self) {
        for planned in &PLAN {
            let more = self.rng().below(4);
            self.block(more.max(1));
            if self.rng().chance(40) {
                self.checkpoint_stmt();
            }
            if self.rng().chance(planned.weight) && (planned.possible)(self) && self.has_room() {
                (planned.emit)(self);
            }
        }
        self.block(8);
    }
}
