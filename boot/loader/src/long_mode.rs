//! From 32-bit protected mode to 64-bit mode, for all doors.
//!
//! A door jumps to `long_mode` with paging off, `%edi` = where its data is and `%esi` = the address of its
//! function in 64-bit mode, which gets `%rdi` as its argument. The first 4 GiB are mapped one to one in pages
//! of 2 MiB: all that the loader reads and writes lies there.
//!
//! A processor that cannot run the kernel is told here, in 32-bit code: there is no other yet.

use core::arch::global_asm;

global_asm!(
    r#"
    .section .text.entry, "ax", @progbits
    .code32
    .globl long_mode
long_mode:
    cli
    cld
    movl $stack_top, %esp

    // 64-bit mode (bit 29) and no-execute (bit 20).
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb no_long_mode
    movl $0x80000001, %eax
    cpuid
    andl $0x20100000, %edx
    cmpl $0x20100000, %edx
    jne no_long_mode

    // Level 4 and 3: one entry, then four.
    movl $early_level3 + 3, early_level4
    movl $early_level2 + 3, %eax
    movl $early_level3, %ebx
    movl $4, %ecx
1:  movl %eax, (%ebx)
    addl $4096, %eax
    addl $8, %ebx
    loop 1b
    // Level 2: 2,048 pages of 2 MiB, present, writable, large.
    movl $0x83, %eax
    movl $early_level2, %ebx
    movl $2048, %ecx
2:  movl %eax, (%ebx)
    addl $0x200000, %eax
    addl $8, %ebx
    loop 2b

    movl $early_level4, %eax
    movl %eax, %cr3
    movl %cr4, %eax
    orl $0x20, %eax             // PAE
    movl %eax, %cr4
    movl $0xc0000080, %ecx      // EFER: LME and NXE
    rdmsr
    orl $0x900, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80010000, %eax       // PG and WP
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $in_long_mode

    .code64
in_long_mode:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    xorl %ebp, %ebp
    movl %edi, %edi
    movl %esi, %esi
    call *%rsi
    ud2

    .code32
no_long_mode:
    movl $text_com1, %esi
    movw $0x3f8, %bx
    call say
    movl $text_com2, %esi
    movw $0x2f8, %bx
    call say
    movw $0x604, %dx            // QEMU's power management: off
    movw $0x2000, %ax
    outw %ax, %dx
3:  hlt
    jmp 3b

    // Writes the text at %esi to the serial port at %bx.
say:
    movl $100000, %ecx
4:  leal 5(%ebx), %edx          // line status: transmitter empty?
    inb %dx, %al
    testb $0x20, %al
    loopz 4b
    lodsb
    testb %al, %al
    jz 5f
    movl %ebx, %edx
    outb %al, %dx
    jmp say
5:  ret

    .section .rodata.long_mode, "a", @progbits
    // Descriptors with their accessed bits set: the table is read-only in the end.
    .balign 8
gdt:
    .quad 0
    .quad 0x00af9b000000ffff    // code, 64-bit
    .quad 0x00cf93000000ffff    // data
gdt_pointer:
    .word 23
    .long gdt
text_com1:
    .asciz "loader: the processor has no 64-bit mode with no-execute: take another (QEMU: -cpu max)\n"
text_com2:
    .asciz "fail\n"

    .section .bss.long_mode, "aw", @nobits
    .balign 4096
early_level4:
    .skip 4096
early_level3:
    .skip 4096
early_level2:
    .skip 4 * 4096
stack:
    .skip 32 * 1024
stack_top:

    .code64
    .text
    "#,
    options(att_syntax)
);
