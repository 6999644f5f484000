/* What programs take from the kernel: settings, functions and variables, which
 * must be there or, where weak, need not.
 */
#include "oxbpf_helpers.h"

#define setting __attribute__((section(".kconfig")))
#define ksym __attribute__((section(".ksyms")))
#define weak __attribute__((weak))

enum libbpf_tristate { TRI_NO = 0, TRI_YES = 1, TRI_MODULE = 2 };

extern int LINUX_KERNEL_VERSION setting;
extern unsigned long CONFIG_HZ setting;
extern _Bool CONFIG_BPF setting;
extern enum libbpf_tristate CONFIG_NET_CLS_BPF setting;
extern char CONFIG_IPV6 setting;
extern char CONFIG_DEFAULT_HOSTNAME[8] setting;
extern _Bool CONFIG_NOWHERE setting weak;
extern int CONFIG_MISSING setting;
extern signed char CONFIG_TOO_LARGE setting;
extern short CONFIG_TOO_WIDE setting;

extern int kernel_function(struct __sk_buff *skb) ksym;
extern int absent_function(struct __sk_buff *skb) ksym weak;
extern const int kernel_variable ksym;
extern const int absent_variable ksym weak;

SEC("tc/settings")
int settings(struct __sk_buff *skb)
{
	if (CONFIG_NOWHERE || !CONFIG_BPF || CONFIG_NET_CLS_BPF != TRI_MODULE)
		return -1;
	skb->mark = LINUX_KERNEL_VERSION;
	skb->cb[0] = CONFIG_HZ;
	skb->cb[1] = CONFIG_IPV6;
	return CONFIG_DEFAULT_HOSTNAME[skb->len & 7];
}

SEC("tc/missing")
int missing(struct __sk_buff *skb)
{
	return CONFIG_MISSING;
}

SEC("tc/too_wide")
int too_wide(struct __sk_buff *skb)
{
	return CONFIG_TOO_WIDE;
}

SEC("tc/function")
int function(struct __sk_buff *skb)
{
	return kernel_function(skb);
}

SEC("tc/variable")
int variable(struct __sk_buff *skb)
{
	return kernel_variable;
}

SEC("tc/absent")
int absent(struct __sk_buff *skb)
{
	if (absent_function)
		return absent_function(skb);
	return &absent_variable ? 1 : 2;
}

/* Functions may be weak too; these are there. */
weak noinline int weak_function(struct __sk_buff *skb)
{
	return skb->mark + 3;
}

SEC("tc/weak")
int calls_weak(struct __sk_buff *skb)
{
	return weak_function(skb);
}

/* Alone in its section: a program all the same, for tc runs the section. */
static SEC("custom") int lone(struct __sk_buff *skb)
{
	return 5;
}

/* Not alone: called, and no program. */
static noinline SEC("tc/pair") int second(struct __sk_buff *skb)
{
	return skb->len;
}

SEC("tc/pair")
int pair(struct __sk_buff *skb)
{
	return second(skb) + 1;
}

LICENSE("GPL");
