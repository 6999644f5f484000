/* Programs that the kernel refuses, with their source lines: clang -target bpf -O2 -g -c packet.c */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
#define SEC(name) __attribute__((section(name), used))

struct skb {
	u32 len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto, priority, ingress_ifindex;
	u32 ifindex, tc_index, cb[5], hash, tc_classid, data, data_end;
};

struct eth {
	u8 dst[6], src[6];
	u16 proto;
};

struct ip {
	u8 vhl, tos;
	u16 len;
	u32 rest[4];
};

struct {
	int (*type)[1];
	u32 *key;
	u64 *value;
	int (*max_entries)[16];
} flows SEC(".maps");

static void *(*const lookup)(void *map, const void *key) = (void *)1;
static long (*const pull)(void *skb, u32 len) = (void *)39;

SEC("tc/short")
int too_short(struct skb *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct eth *eth = data;
	struct ip *ip = data + sizeof(*eth);

	if (data + sizeof(*eth) > end)
		return 0;
	if (eth->proto != 8)
		return 0;
	return ip->tos;
}

SEC("tc/moved")
int moved(struct skb *skb)
{
	u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (data + 20 > end)
		return 0;
	if (pull(skb, 0))
		return 1;
	return data[12];
}

SEC("tc/unchecked")
int unchecked(struct skb *skb)
{
	u32 key = skb->mark;
	u64 *count = lookup(&flows, &key);

	*count += 1;
	return 0;
}

struct sum {
	u32 a, b;
};

__attribute__((noinline)) int add(struct sum *s)
{
	return s ? s->a + s->b : 0;
}

SEC("tc/argument")
int argument(struct skb *skb)
{
	return add((struct sum *)(long)(skb->mark | 1));
}

SEC("tc/right")
int right(struct skb *skb)
{
	struct sum s = { skb->mark, 1 };

	return add(&s);
}

char LICENSE[] SEC("license") = "GPL";
