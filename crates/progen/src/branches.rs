//! Forward branches: skipped blocks, diamonds, early ends.

use crate::fun::{Fun, join};

impl Fun {
    /// `if … { block }`, or `if … { block } else { block }`.
    pub(crate) fn if_stmt(&mut self) {
        let condition = self.condition();
        let other = self.code.label();
        let before = self.state.clone();
        self.jump(condition, other);
        self.nested(|f| f.block(3));
        if self.rng().chance(50) {
            self.code.place(other);
            self.state.meet(&before);
            return;
        }
        let end = self.code.label();
        self.goto(end);
        let then = std::mem::replace(&mut self.state, before);
        self.code.place(other);
        self.nested(|f| f.block(3));
        self.code.place(end);
        self.state.meet(&then);
    }

    /// Leaves the innermost loop under a condition.
    pub(crate) fn break_stmt(&mut self) {
        let condition = self.condition();
        let state = self.state.clone();
        let Some(open) = self.loops.last_mut() else { return };
        join(&mut open.at_out, state);
        let out = open.out;
        self.jump(condition, out);
    }

    /// Ends the function under a condition.
    pub(crate) fn exit_stmt(&mut self) {
        let condition = self.condition();
        self.reaches_exit();
        self.jump(condition, self.exit);
    }
}
