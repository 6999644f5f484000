// Data of every kind, for tests/value.rs: clang-19 -g -O2 -target bpf -fdebug-compilation-dir=. -c values.c; llvm-strip-19 -g
// values.txt holds contents of the map `all` and what `bpftool -j map dump` shows of them.
enum color { RED, GREEN = 5, NEG = -3 };
enum big { BIG = 0x100000000ULL, SMALL = 1 };
typedef unsigned int u32;
typedef char name_t[8];
typedef _Bool bool;
struct inner { int a; char b; };
union both { int x; struct inner i; };
struct fwd;
struct all {
	u32 n; char s[8]; struct inner in; enum color c; unsigned bf1 : 3; unsigned bf2 : 5; _Bool ok;
	unsigned long long ll; signed char sc; unsigned char uc; void *p; union both un; int arr[3]; struct inner ia[2];
	int bfs : 4; enum color ce : 4; __int128 q; signed char sca; struct { int anon; }; char unp[4]; name_t nm;
	const char cc[4]; unsigned char ucs[4]; enum big b; __int128 i128; signed char scs[4]; const char ccs[3];
	u32 m2[2][2]; char z[4]; struct fwd *fw; int (*fn)(int); unsigned long long bf64 : 40; enum color ec; char c1;
	bool boo; int neg; short sh; long long nll; char strs[2][4]; volatile int *vp; u32 flex[];
};
struct floats { float f; double d; };
struct {
	int (*type)[1]; int (*max_entries)[4]; u32 *key; struct all *value;
} all __attribute__((section(".maps"), used));
struct floats floats = {1.5f, -2};
int count = 7;
