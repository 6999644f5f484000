// The types that the other files' programs are adapted to.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

struct point { s64 before; s32 x, y; };
struct other;

struct packet {
	u64 added[2];
	u32 len;
	const volatile u16 proto;
	union {
		struct { u16 pad; u32 mark; };
		u64 wide;
	};
	struct { u8 skip; struct point at; } in;
	struct point points[6];
	u32 words[8];
	u16 halves[8];
	struct other *next;
	s32 (*handler)(struct packet *, u32);
	s32 was_pointer;
	u32 was_signed;
	s32 was_unsigned;
	s64 grown_signed;
	u64 grown;
	u16 shrunk;
	u64 grown_words[4];
	u8 was_struct[16];
	float ratio;
	_Bool flag;
	u8 tail[];
};
struct packet packet;

struct bits {
	u32 moved;
	u32 a : 3, b : 7;
	s32 c : 5;
	u32 plain;
	u64 wide : 40;
	u8 small : 2;
	s64 neg : 33;
	u16 whole;
};
struct bits bits;

struct huge { u8 room[40000]; u32 behind; };
struct huge huge;

// One name, several layouts.
struct same { u32 pad; u32 value; };
struct same___two { u32 other; u32 value; };
struct same same;
struct same___two same_two;
struct twice { u32 value; };
struct twice___two { u64 pad; u32 value; };
struct twice twice;
struct twice___two twice_two;

typedef struct { u32 pad; u32 first; } unnamed_t;
unnamed_t unnamed;
union either { u32 word; struct point point; };
union either either;

enum color { RED = 3, GREEN, BLUE___new = 9, NEGATIVE = -7 };
enum color color;
enum large { LARGE = 0x123456789abcdef0ull, LOW = 2 };
enum large large;
enum grown { GROWN = 0x1ffffffffull };
enum grown grown;
enum shrunk { SHRUNK = 6 };
enum shrunk shrunk;

typedef u32 number_t;
typedef struct point point_t;
typedef s32 (*call_t)(struct packet *, u32);
typedef s32 (*wrong_call_t)(struct packet *);
number_t number;
point_t point;
call_t call;
wrong_call_t wrong_call;

struct matching { u32 a; struct point *p; struct other *o; enum color c; u32 list[4]; s64 extra; };
struct matching matching;
