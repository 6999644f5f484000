//! The field's terms, each in a paragraph.

/// Terms and what they mean.
#[rustfmt::skip]
pub const TERMS: &[(&str, &str)] = &[
    ("action", "What tc does with a packet that a classifier matched. A program of type sched_act is one; a classifier in direct action mode answers with an action's code itself."),
    ("atomic", "An instruction that reads memory, changes it and writes it back as one step: add, or, and, xor, exchange, compare and exchange. With fetch, it also returns what memory held."),
    ("bpffs", "The file system in which maps and programs are pinned, usually at /sys/fs/bpf."),
    ("btf", "BPF Type Format: the types, functions and source lines of a program or of the kernel, in sections .BTF and .BTF.ext of an object."),
    ("bytecode", "A program as numbers: eight bytes for each instruction, two of them for a wide load."),
    ("callback", "A function of a program that a helper calls, such as bpf_loop."),
    ("cb", "Five words in the context that belong to the program and outlive tail calls."),
    ("cbpf", "Classic BPF: two registers, sixteen words of memory, forward jumps only. The kernel translates it; oxbpf migrate shows to what."),
    ("classid", "The class that a classifier chooses, as major:minor. Without direct action the return value chooses it: 0 is no match, 0xffffffff the class given with the filter, another value its minor number."),
    ("classifier", "A program of type sched_cls at a hook of tc: it looks at packets and says what becomes of them."),
    ("clsact", "The qdisc that offers tc's ingress and egress hooks and does nothing else."),
    ("co-re", "Compile once, run everywhere: an object says which fields, types and constants of the kernel it uses, and the loader fills in their places in the running kernel."),
    ("context", "What a program gets in r1: __sk_buff for packets, xdp_md for XDP. It is no memory: each field has its own rules."),
    ("direct action", "The mode in which a classifier's return value is an action (TC_ACT_OK, TC_ACT_SHOT, ...), not a class. Programs of tcx always run so."),
    ("direct packet access", "Loads and stores through data and data_end, after a comparison has shown that there is so much packet."),
    ("dynptr", "A pointer with its size and kind, opaque to the program; helpers and kernel functions read and write through it."),
    ("frame", "The 512 bytes of stack of one function of a program; r10 points behind them. Eight functions may be active."),
    ("frozen map", "A map that user space can no longer change, as .rodata: programs may rely on its contents."),
    ("fuel", "This toolchain's bound of a run: instructions, and bytes that helpers move."),
    ("global function", "A function that the verifier checks once for all arguments that its types allow, instead of at each call."),
    ("helper", "A function of the kernel with a fixed number, called with r1 to r5; the result is in r0."),
    ("hook", "A place at which packets pass programs: tc's ingress and egress, a qdisc, XDP in the driver, a cgroup."),
    ("jit", "A translator from BPF to the processor's own instructions."),
    ("kfunc", "A function of the kernel that programs call by its BTF id. It has no number and may change between versions."),
    ("lddw", "The wide load: a value of 64 bits, or the address of a map, in two slots."),
    ("legacy map", "A map defined by a structure in section maps, without BTF; iproute2's has 36 bytes, libbpf's first had 20."),
    ("licence", "The text in section license. Some helpers are only for programs whose licence is compatible with the GPL."),
    ("map", "A store of keys and values that programs share with each other and with user space."),
    ("map in map", "A map whose values are maps; a look-up yields one of them."),
    ("narrow load", "A load of part of a context field."),
    ("packet pointer", "A pointer into the packet, from data. Helpers that may move the packet make it void."),
    ("pin", "To give a map or program a name in bpffs, so that it outlives its process."),
    ("precision", "The verifier's note that a register's exact value mattered. Where it did not, states with other values are taken as equal."),
    ("prog array", "A map of programs for tail calls."),
    ("pruning", "The verifier's leaving out of a path whose state an earlier path has covered."),
    ("relocation", "A place in an object that the loader fills in: a map, a function, a variable, or, with CO-RE, something of the kernel."),
    ("reloc", "See relocation."),
    ("seccomp", "The filter of system calls: classic programs over a structure with the call's number and arguments."),
    ("section", "A part of an object. Its name says what type of program it holds: classifier, tc, action, xdp, socket, cgroup_skb/ingress."),
    ("skb", "The kernel's structure of a packet; programs see it as __sk_buff."),
    ("slot", "A place for eight bytes of instruction. Jumps and the kernel's log count slots; a wide load takes two."),
    ("spill", "A register kept on the stack. The verifier remembers what it was."),
    ("subprog", "A function of a program besides the first; a call of it is an instruction with source 1."),
    ("tail call", "The change into another program, with the same context and a fresh frame. 33 are followed; one that fails goes on in the program."),
    ("tcx", "The hooks for tc programs without qdiscs, since Linux 6.6; programs run in direct action mode, in an order one can choose."),
    ("test run", "The kernel's way to run a program on given data: BPF_PROG_TEST_RUN."),
    ("tnum", "A tracked number: which bits of a value the verifier knows, and what they are."),
    ("trap", "A stop of a run by this toolchain: the program did what no kernel would have loaded."),
    ("verifier", "What decides before a program runs whether it is safe: each path is followed, each access proved."),
    ("xdp", "The earliest hook: programs run on packets in the driver, before there is an skb."),
    ("zero extension", "An operation on 32 bits clears the upper half of its register."),
];

/// The paragraph about a term; case, and `-` or `_` for a blank, do not matter.
pub fn explain(word: &str) -> Option<String> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_'], " ");
    let found = TERMS.iter().find(|(term, _)| plain(term) == plain(word))?;
    Some(format!("{}\n{}", found.0, wrapped(found.1)))
}

/// A text in lines of at most 96 characters, indented by two.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let width = word.chars().count();
        let gap = match column {
            0 => "  ",
            _ if column + width > 96 => {
                column = 0;
                "\n  "
            }
            _ => " ",
        };
        out += gap;
        out += word;
        column += width + 1;
    }
    out + "\n"
}
