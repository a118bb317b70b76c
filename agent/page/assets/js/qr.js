// QR codes (ISO/IEC 18004): byte mode, error correction level L, any version. The
// result is a square of booleans, dark is true.

// Per version 1 to 40: check bytes of a block, and number of blocks, at level L.
const checks = [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30];
const blocks = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25];

// modules is how many squares of a version hold data and checks.
function modules(version) {
  let n = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const align = Math.floor(version / 7) + 2;
    n -= (25 * align - 10) * align - 55;
    if (version >= 7) n -= 36;
  }
  return n;
}

const capacity = (version) => Math.floor(modules(version) / 8) - checks[version - 1] * blocks[version - 1];
const countBits = (version) => (version < 10 ? 8 : 16);

// encode gives the code of a text, or null when it is too long for one (2953 bytes).
export function encode(text) {
  const bytes = new TextEncoder().encode(text);
  let version = 1;
  while (version <= 40 && capacity(version) * 8 < 4 + countBits(version) + bytes.length * 8) version++;
  return version > 40 ? null : new Code(version, interleave(version, codewords(version, bytes))).dark;
}

// codewords are mode, length, data and padding.
function codewords(version, bytes) {
  const bits = [];
  const put = (value, length) => {
    for (let i = length - 1; i >= 0; i--) bits.push((value >>> i) & 1);
  };
  put(4, 4);
  put(bytes.length, countBits(version));
  for (const b of bytes) put(b, 8);
  const room = capacity(version) * 8;
  put(0, Math.min(4, room - bits.length));
  put(0, -bits.length & 7);
  for (let pad = 0xec; bits.length < room; pad ^= 0xec ^ 0x11) put(pad, 8);
  const words = new Uint8Array(bits.length / 8);
  bits.forEach((bit, i) => (words[i >>> 3] |= bit << (7 - (i & 7))));
  return words;
}

// times multiplies in the field of 256 elements modulo 0x11d.
function times(a, b) {
  let product = 0;
  for (let i = 7; i >= 0; i--) product = (product << 1) ^ ((product >>> 7) * 0x11d) ^ (((b >>> i) & 1) * a);
  return product & 0xff;
}

function generator(degree) {
  const poly = new Uint8Array(degree);
  poly[degree - 1] = 1;
  for (let i = 0, root = 1; i < degree; i++, root = times(root, 2)) {
    for (let j = 0; j < degree; j++) poly[j] = times(poly[j], root) ^ (poly[j + 1] ?? 0);
  }
  return poly;
}

function remainder(data, divisor) {
  const rest = new Array(divisor.length).fill(0);
  for (const b of data) {
    const factor = b ^ rest.shift();
    rest.push(0);
    divisor.forEach((d, i) => (rest[i] ^= times(d, factor)));
  }
  return rest;
}

// interleave cuts the words into blocks, adds checks to each, and deals them out.
function interleave(version, words) {
  const [many, check] = [blocks[version - 1], checks[version - 1]];
  const total = Math.floor(modules(version) / 8);
  const long = total % many; // so many blocks, the last ones, hold one word more
  const size = Math.floor(total / many) - check;
  const divisor = generator(check);
  const list = [];
  for (let i = 0, at = 0; i < many; i++) {
    const data = words.slice(at, (at += size + (i >= many - long ? 1 : 0)));
    list.push({ data, check: remainder(data, divisor) });
  }
  const out = [];
  for (let i = 0; i <= size; i++) for (const b of list) if (i < b.data.length) out.push(b.data[i]);
  for (let i = 0; i < check; i++) for (const b of list) out.push(b.check[i]);
  return out;
}

const masks = [
  (x, y) => (x + y) % 2,
  (x, y) => y % 2,
  (x) => x % 3,
  (x, y) => (x + y) % 3,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2,
  (x, y) => ((x * y) % 2) + ((x * y) % 3),
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2,
];

class Code {
  #size;
  #fixed; // squares that hold no data

  constructor(version, words) {
    this.#size = version * 4 + 17;
    const square = () => Array.from({ length: this.#size }, () => new Array(this.#size).fill(false));
    this.dark = square();
    this.#fixed = square();
    this.#patterns(version);
    this.#write(words);
    this.#mask();
  }

  #set(x, y, dark) {
    this.dark[y][x] = Boolean(dark);
    this.#fixed[y][x] = true;
  }

  #patterns(version) {
    const size = this.#size;
    for (let i = 0; i < size; i++) {
      this.#set(6, i, i % 2 === 0);
      this.#set(i, 6, i % 2 === 0);
    }
    for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) this.#ring(x, y, 4);
    const at = aligned(version);
    const last = at.length - 1;
    at.forEach((x, i) =>
      at.forEach((y, j) => {
        if (!((i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0))) this.#ring(x, y, 2);
      }),
    );
    this.#format(0);
    if (version >= 7) this.#version(version);
  }

  // ring draws squares in one another around a middle.
  #ring(x, y, reach) {
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) {
        const far = Math.max(Math.abs(dx), Math.abs(dy));
        const [px, py] = [x + dx, y + dy];
        if (px >= 0 && px < this.#size && py >= 0 && py < this.#size) this.#set(px, py, reach === 4 ? far !== 2 && far !== 4 : far !== 1);
      }
    }
  }

  #format(mask) {
    const data = (1 << 3) | mask; // level L is 1
    let rest = data;
    for (let i = 0; i < 10; i++) rest = (rest << 1) ^ ((rest >>> 9) * 0x537);
    const bits = ((data << 10) | rest) ^ 0x5412;
    const bit = (i) => (bits >>> i) & 1;
    for (let i = 0; i < 6; i++) this.#set(8, i, bit(i));
    this.#set(8, 7, bit(6));
    this.#set(8, 8, bit(7));
    this.#set(7, 8, bit(8));
    for (let i = 9; i < 15; i++) this.#set(14 - i, 8, bit(i));
    for (let i = 0; i < 8; i++) this.#set(this.#size - 1 - i, 8, bit(i));
    for (let i = 8; i < 15; i++) this.#set(8, this.#size - 15 + i, bit(i));
    this.#set(8, this.#size - 8, true);
  }

  #version(version) {
    let rest = version;
    for (let i = 0; i < 12; i++) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25);
    const bits = (version << 12) | rest;
    for (let i = 0; i < 18; i++) {
      const [a, b] = [this.#size - 11 + (i % 3), Math.floor(i / 3)];
      this.#set(a, b, (bits >>> i) & 1);
      this.#set(b, a, (bits >>> i) & 1);
    }
  }

  // write lays the words in a zigzag of columns two wide, from the right.
  #write(words) {
    let i = 0;
    for (let right = this.#size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5;
      for (let step = 0; step < this.#size; step++) {
        const up = ((right + 1) & 2) === 0;
        const y = up ? this.#size - 1 - step : step;
        for (const x of [right, right - 1]) {
          if (this.#fixed[y][x]) continue;
          if (i < words.length * 8) this.dark[y][x] = Boolean((words[i >>> 3] >>> (7 - (i & 7))) & 1);
          i++;
        }
      }
    }
  }

  // mask takes the mask that makes the code easiest to read.
  #mask() {
    let best = 0;
    let least = Infinity;
    masks.forEach((_, m) => {
      this.#apply(m);
      const bad = penalty(this.dark);
      if (bad < least) [best, least] = [m, bad];
      this.#apply(m); // twice is not at all
    });
    this.#apply(best);
  }

  #apply(m) {
    for (let y = 0; y < this.#size; y++) {
      for (let x = 0; x < this.#size; x++) if (!this.#fixed[y][x] && masks[m](x, y) === 0) this.dark[y][x] = !this.dark[y][x];
    }
    this.#format(m);
  }
}

// aligned are the places of the small squares.
function aligned(version) {
  if (version === 1) return [];
  const many = Math.floor(version / 7) + 2;
  const step = Math.floor((version * 8 + many * 3 + 5) / (many * 4 - 4)) * 2;
  const places = [6];
  for (let at = version * 4 + 10; places.length < many; at -= step) places.splice(1, 0, at);
  return places;
}

// penalty counts runs, blocks, patterns like the corners, and how uneven it is.
function penalty(dark) {
  const size = dark.length;
  let bad = 0;
  let all = 0;
  for (let a = 0; a < size; a++) {
    for (const at of [(i) => dark[a][i], (i) => dark[i][a]]) {
      let run = 0;
      let line = "";
      for (let i = 0; i < size; i++) {
        run = i > 0 && at(i) === at(i - 1) ? run + 1 : 1;
        if (run === 5) bad += 3;
        else if (run > 5) bad++;
        line += at(i) ? 1 : 0;
      }
      bad += 40 * (line.match(/(?=10111010000|00001011101)/g) ?? []).length;
    }
    for (let i = 0; i < size; i++) {
      if (dark[a][i]) all++;
      if (a > 0 && i > 0 && dark[a][i] === dark[a - 1][i] && dark[a][i] === dark[a][i - 1] && dark[a][i] === dark[a - 1][i - 1]) bad += 3;
    }
  }
  return bad + 10 * Math.floor(Math.abs((all * 20) / (size * size) - 10));
}
