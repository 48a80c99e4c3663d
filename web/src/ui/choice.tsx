/**
 * One of a few, of which each takes effect at once: the browser's radio buttons, in a row.
 */

interface ChoiceProps<Value extends string> {
  name: string;
  /** Names the group for screen readers; what is around it says so to everybody else. */
  label: string;
  options: readonly { value: Value; label: string }[];
  value: Value;
  onChoose: (value: Value) => void;
}

export function Choice<Value extends string>({ name, label, options, value, onChoose }: ChoiceProps<Value>) {
  return (
    <fieldset className="choice">
      <legend>{label}</legend>
      {options.map((option) => (
        <label key={option.value}>
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChoose(option.value)}
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}
