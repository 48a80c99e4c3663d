/**
 * Light or dark, for this browser alone.
 */

import { THEMES, useTheme } from '../lib/theme.ts';
import { Choice } from '../ui/choice.tsx';
import { Setting } from '../ui/setting.tsx';
import { accountWords } from '../words/account.ts';

export function AppearanceSection() {
  const words = accountWords();
  const [theme, choose] = useTheme();
  return (
    <Setting id="appearance" title={words.appearance} about={words.aboutAppearance}>
      <Choice
        name="theme"
        label={words.appearance}
        options={THEMES.map((value) => ({ value, label: words.themes[value] }))}
        value={theme}
        onChoose={choose}
      />
    </Setting>
  );
}
