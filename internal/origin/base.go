package origin

// Base returns the base image as the Dockerfile names it after FROM, and the
// diff ids of the layers that it brought, from the bottom up. It reports false
// where no Dockerfile describes the image, where the image starts from scratch
// and where FROM holds a variable that nothing gives a value.
func (t *Tracer) Base() (reference string, layers []string, ok bool) {
	if t.alignment == nil {
		return "", nil, false
	}
	from := t.alignment.stage.Root().Base.Value
	if !from.Known || from.Text == "" || from.Text == "scratch" {
		return "", nil, false
	}
	for _, l := range t.image.Layers {
		if l.History < 0 || l.History >= t.alignment.base {
			break
		}
		layers = append(layers, l.DiffID)
	}
	return from.Text, layers, len(layers) > 0
}
