/* Packets by protocol, with the map declared as tc's loader reads it: a
 * structure in the section `maps`. proto_count_btf.c is the same program with
 * the map as libbpf reads it.
 */
#include "oxbpf_helpers.h"
#include "proto_count.h"

struct bpf_elf_map SEC("maps") protocols = {
	.type = BPF_MAP_TYPE_ARRAY,
	.size_key = sizeof(__u32),
	.size_value = sizeof(struct count),
	.max_elem = PROTOCOLS,
};

SEC("classifier")
int by_protocol(struct __sk_buff *skb)
{
	return count_protocol(skb, &protocols);
}

LICENSE("GPL");
