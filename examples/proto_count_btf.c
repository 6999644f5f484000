/* Packets by protocol, with the map declared as libbpf reads it: a variable
 * in `.maps` whose debug types say what it is, so that this one needs -g.
 * proto_count_legacy.c is the same program with the map as tc reads it.
 */
#include "oxbpf_helpers.h"
#include "proto_count.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PROTOCOLS);
	__type(key, __u32);
	__type(value, struct count);
} protocols SEC(".maps");

SEC("classifier")
int by_protocol(struct __sk_buff *skb)
{
	return count_protocol(skb, &protocols);
}

LICENSE("GPL");
