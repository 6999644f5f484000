
minimal.o:	file format elf64-bpf

Disassembly of section classifier:

0000000000000000 <cls_all>:
; 	return -1;
       0:	b4 00 00 00 ff ff ff ff	w0 = -0x1
       1:	95 00 00 00 00 00 00 00	exit
