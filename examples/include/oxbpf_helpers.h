/* What the example programs need beside the system's <linux/bpf.h>: section
 * and map notations, the helpers by number, and the packet-load intrinsics.
 *
 * Helper numbers and map layouts are the kernel's and tc's; the notation is
 * what clang and the loaders agree on.
 */
#ifndef OXBPF_HELPERS_H
#define OXBPF_HELPERS_H

#include <linux/bpf.h>
#include <linux/types.h>

/* ---- notation ---- */

#define SEC(name) __attribute__((section(name), used))
#define always_inline inline __attribute__((always_inline))
#define noinline __attribute__((noinline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#ifndef offsetof
#define offsetof(type, member) __builtin_offsetof(type, member)
#endif

#define LICENSE(text) char _license[] SEC("license") = text

/* Byte order of a little-endian target, folded at compile time. */
#define htons(x) __builtin_bswap16(x)
#define ntohs(x) __builtin_bswap16(x)
#define htonl(x) __builtin_bswap32(x)

/* ---- maps ---- */

/* One entry of a legacy "maps" section, as tc's loader reads it (36 bytes). */
struct bpf_elf_map {
	__u32 type;
	__u32 size_key;
	__u32 size_value;
	__u32 max_elem;
	__u32 flags;
	__u32 id;        /* the agent's number; "ID/idx" sections name it */
	__u32 pinning;
	__u32 inner_id;
	__u32 inner_idx;
};

/* Members of a BTF map definition: numbers are coded as array lengths, types
 * as pointers, so that they live in the debug types and take no space. */
#define __uint(name, val) int (*name)[val]
#define __type(name, val) typeof(val) *name
#define __array(name, val) typeof(val) *name[]

/* ---- helpers: a pointer constant becomes "call N" ---- */

#define HELPER(ret, name, id, ...) \
	static ret (*const name)(__VA_ARGS__) __attribute__((unused)) = (ret (*)(__VA_ARGS__))(unsigned long)(id)

HELPER(void *, map_lookup, BPF_FUNC_map_lookup_elem, void *map, const void *key);
HELPER(long, map_update, BPF_FUNC_map_update_elem, void *map, const void *key, const void *value, __u64 flags);
HELPER(long, map_delete, BPF_FUNC_map_delete_elem, void *map, const void *key);
HELPER(__u64, ktime_get_ns, BPF_FUNC_ktime_get_ns, void);
HELPER(long, trace_printk, BPF_FUNC_trace_printk, const char *fmt, __u32 size, ...);
HELPER(__u32, prandom_u32, BPF_FUNC_get_prandom_u32, void);
HELPER(__u32, processor_id, BPF_FUNC_get_smp_processor_id, void);
HELPER(long, skb_store_bytes, BPF_FUNC_skb_store_bytes, struct __sk_buff *skb, __u32 off, const void *from, __u32 len, __u64 flags);
HELPER(long, skb_load_bytes, BPF_FUNC_skb_load_bytes, const struct __sk_buff *skb, __u32 off, void *to, __u32 len);
HELPER(long, l3_csum_replace, BPF_FUNC_l3_csum_replace, struct __sk_buff *skb, __u32 off, __u64 from, __u64 to, __u64 size);
HELPER(long, l4_csum_replace, BPF_FUNC_l4_csum_replace, struct __sk_buff *skb, __u32 off, __u64 from, __u64 to, __u64 flags);
HELPER(__s64, csum_diff, BPF_FUNC_csum_diff, const __be32 *from, __u32 from_size, const __be32 *to, __u32 to_size, __u32 seed);
HELPER(__u32, cgroup_classid, BPF_FUNC_get_cgroup_classid, struct __sk_buff *skb);
HELPER(long, skb_vlan_push, BPF_FUNC_skb_vlan_push, struct __sk_buff *skb, __be16 proto, __u16 tci);
HELPER(long, skb_vlan_pop, BPF_FUNC_skb_vlan_pop, struct __sk_buff *skb);
HELPER(long, clone_redirect, BPF_FUNC_clone_redirect, struct __sk_buff *skb, __u32 ifindex, __u64 flags);
HELPER(long, skb_change_tail, BPF_FUNC_skb_change_tail, struct __sk_buff *skb, __u32 len, __u64 flags);
HELPER(void *, ringbuf_reserve, BPF_FUNC_ringbuf_reserve, void *ringbuf, __u64 size, __u64 flags);
HELPER(void, ringbuf_submit, BPF_FUNC_ringbuf_submit, void *record, __u64 flags);
HELPER(void, ringbuf_discard, BPF_FUNC_ringbuf_discard, void *record, __u64 flags);
HELPER(long, tail_call, BPF_FUNC_tail_call, void *ctx, void *prog_array, __u32 index);

/* ---- packet loads: LD_ABS and LD_IND, in host order, ending the program
 * with 0 when the packet is too short ---- */

unsigned long long load_byte(void *skb, unsigned long long off) asm("llvm.bpf.load.byte");
unsigned long long load_half(void *skb, unsigned long long off) asm("llvm.bpf.load.half");
unsigned long long load_word(void *skb, unsigned long long off) asm("llvm.bpf.load.word");

#endif
