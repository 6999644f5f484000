/* Rewrites through helpers, after which packet pointers have to be made anew; a record for what was changed. */
#include "headers.h"

struct event {
	__u64 time;
	__u32 mark;
	__u16 port;
	__u16 kind;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct limit {
	struct bpf_spin_lock lock;
	__u32 burst;
	__u64 tokens;
	__u64 last;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct limit);
} limits SEC(".maps");

static noinline int tell(__u32 mark, __u32 port, __u32 kind)
{
	struct event *event = ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return 0;
	event->time = ktime_get_ns();
	event->mark = mark;
	event->port = port;
	event->kind = kind;
	if (kind == 3)
		ringbuf_discard(event, 0);
	else
		ringbuf_submit(event, 0);
	return 1;
}

SEC("tc/port")
int port(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	struct udphdr *udp = (void *)(ip + 1);
	__be16 old, new = htons(5353);
	__u32 off = sizeof(struct ethhdr) + sizeof(*ip);

	if ((void *)(udp + 1) > end || ip->ihl != 5 || ip->protocol != IPPROTO_UDP)
		return TC_ACT_OK;
	old = udp->dest;
	if (l4_csum_replace(skb, off + offsetof(struct udphdr, check), old, new, 0x10 | 2))
		return TC_ACT_SHOT;
	if (skb_store_bytes(skb, off + offsetof(struct udphdr, dest), &new, 2, 0))
		return TC_ACT_SHOT;
	data = (void *)(long)skb->data;
	end = (void *)(long)skb->data_end;
	ip = data + sizeof(struct ethhdr);
	if ((void *)(ip + 1) > end)
		return TC_ACT_SHOT;
	tell(skb->mark, old, ip->tos & 3);
	return TC_ACT_OK;
}

SEC("tc/rate")
int rate(struct __sk_buff *skb)
{
	__u32 key = skb->priority & 15;
	struct limit *limit = map_lookup(&limits, &key);
	__u64 now = ktime_get_ns(), gained;
	int drop = 0;

	if (!limit)
		return TC_ACT_OK;
	spin_lock(&limit->lock);
	gained = (now - limit->last) >> 10;
	limit->tokens += gained;
	if (limit->tokens > limit->burst)
		limit->tokens = limit->burst;
	limit->last = now;
	if (limit->tokens < skb->len)
		drop = 1;
	else
		limit->tokens -= skb->len;
	spin_unlock(&limit->lock);
	if (drop)
		tell(skb->mark, 0, 1);
	return drop ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("tc/vlan")
int vlan(struct __sk_buff *skb)
{
	__u8 bytes[24] = {};
	__u32 len = skb->len;

	if (skb->vlan_present && skb_vlan_pop(skb))
		return TC_ACT_SHOT;
	if (len > 60)
		len = 60;
	len &= 15;
	if (skb_load_bytes(skb, 0, bytes, len + 1))
		return TC_ACT_OK;
	if (bytes[len & 15] == 7 && skb_vlan_push(skb, htons(ETH_P_8021Q), bytes[0]))
		return TC_ACT_SHOT;
	return redirect(bytes[1] + 1, 0);
}

LICENSE("GPL");
