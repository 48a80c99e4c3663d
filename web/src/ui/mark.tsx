/**
 * The mark: three doorways, one in the other. The style sheet colours it for light and dark.
 */

export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path className="mark-outer" d="M3 30V15a13 13 0 0 1 26 0v15Z" />
      <path className="mark-middle" d="M8 30V16.5a8 8 0 0 1 16 0V30Z" />
      <path className="mark-inner" d="M12.5 30V18a3.5 3.5 0 0 1 7 0v12Z" />
    </svg>
  );
}
