/**
 * The picture of the product: a hall of arches with the open door at its end, by day in light and by night in dark.
 * Purely decorative; all its colours are in the style sheet.
 */

const CENTRE = 300;
const ARCHES = [0, 1, 2, 3, 4, 5].map((depth) => {
  // Equal steps into a room grow smaller to the eye by a constant factor.
  const scale = 0.74 ** depth;
  const half = 318 * scale;
  return { half, top: 590 - 560 * scale, floor: 650 + 300 * scale };
});
const DOOR = { half: 71 * 0.74, top: 590 - 560 * 0.74 ** 6, floor: 650 + 300 * 0.74 ** 6 };

export function Hall() {
  return (
    <svg className="hall" viewBox="0 0 600 900" preserveAspectRatio="xMidYMax slice" aria-hidden="true">
      <defs>
        <clipPath id="hall-door">
          <path d={archPath(DOOR)} />
        </clipPath>
        <linearGradient id="hall-light" x1="0" y1="0" x2="0" y2="1">
          <stop className="hall-light-near" offset="0" />
          <stop className="hall-light-far" offset="1" />
        </linearGradient>
      </defs>
      <rect className="hall-wall" width="600" height="900" />
      {ARCHES.map((arch, depth) => (
        <g key={arch.half} className={`hall-depth-${depth}`}>
          <path className="hall-arch" d={archPath(arch)} />
          <path className="hall-floor" d={floorPath(arch, ARCHES[depth + 1] ?? DOOR)} />
        </g>
      ))}
      <g clipPath="url(#hall-door)">
        <rect className="hall-sky" x="200" y="400" width="200" height="400" />
        <circle className="hall-sun" cx="318" cy="608" r="15" />
        <path className="hall-hill-far" d="M230 668q40-40 74-14t70-16v120H230Z" />
        <path className="hall-hill-near" d="M230 690q60-26 96-8t60 2v80H230Z" />
      </g>
      <path
        fill="url(#hall-light)"
        d={`M${CENTRE - DOOR.half} ${DOOR.floor}H${CENTRE + DOOR.half}L${CENTRE + 250} 960H${CENTRE - 170}Z`}
      />
    </svg>
  );
}

interface Arch {
  half: number;
  top: number;
  floor: number;
}

function archPath({ half, top, floor }: Arch): string {
  const spring = top + half;
  return `M${CENTRE - half} ${floor}V${spring}a${half} ${half} 0 0 1 ${2 * half} 0V${floor}Z`;
}

function floorPath(near: Arch, far: Arch): string {
  return `M${CENTRE - near.half} ${near.floor}H${CENTRE + near.half}L${CENTRE + far.half} ${far.floor}H${CENTRE - far.half}Z`;
}
