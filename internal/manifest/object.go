package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// Object is one Kubernetes object, standing alone or inside of a list.
type Object struct {
	// File is the path of the file that holds it, and Document its document.
	File     string
	Document *Document
	Root     *Place
	// APIVersion and Kind are as written; inside of a typed list such as a
	// PodList, where they may be left out, they come from the list.
	APIVersion string
	Kind       string
	Namespace  string
	Name       string
}

// Group is the API group, "" for the core group.
func (o *Object) Group() string {
	if group, _, ok := strings.Cut(o.APIVersion, "/"); ok {
		return group
	}
	return ""
}

// Is reports whether the object is of the kind in one of the API groups.
func (o *Object) Is(kind string, groups ...string) bool {
	if o.Kind != kind {
		return false
	}
	for _, g := range groups {
		if o.Group() == g {
			return true
		}
	}
	return len(groups) == 0
}

// ID names the object as Kind/namespace/name, leaving out what it does not
// say.
func (o *Object) ID() string {
	parts := []string{o.Kind}
	if o.Namespace != "" {
		parts = append(parts, o.Namespace)
	}
	name := o.Name
	if name == "" {
		name = o.Root.At("metadata", "generateName").Text()
	}
	return strings.Join(append(parts, name), "/")
}

// At goes down from the object's root.
func (o *Object) At(keys ...string) *Place { return o.Root.At(keys...) }

// Annotation returns the place of an annotation.
func (o *Object) Annotation(name string) *Place {
	return o.At("metadata", "annotations", name)
}

// Objects returns the objects of a document, going into lists of objects.
// Other is true when the document is no Kubernetes object at all, and nothing
// that was meant to be one. The document's problems come with the document;
// further ones that show only here are returned.
func Objects(doc *Document) (objects []*Object, other bool, problems []Problem) {
	if doc.Root == nil {
		return nil, false, nil
	}
	if doc.Root.Kind == Null {
		return nil, true, nil
	}
	c := collector{doc: doc}
	c.add(NewPlace(doc.Root), "", "", 0)
	return c.objects, c.other && len(c.objects) == 0 && len(c.problems) == 0, c.problems
}

type collector struct {
	doc      *Document
	objects  []*Object
	problems []Problem
	other    bool
}

// maxLists bounds how many lists may lie in one another; kubectl makes one.
const maxLists = 20

func (c *collector) add(at *Place, apiVersion, kind string, depth int) {
	o := &Object{
		File: c.doc.Path, Document: c.doc, Root: at,
		APIVersion: at.At("apiVersion").Text(), Kind: at.At("kind").Text(),
		Namespace: at.At("metadata", "namespace").Text(), Name: at.At("metadata", "name").Text(),
	}
	if o.APIVersion == "" && o.Kind == "" {
		o.APIVersion, o.Kind = apiVersion, kind
	}
	items := at.At("items")
	switch {
	case o.APIVersion == "" && o.Kind == "" && c.taskDefinition(at):
	case o.APIVersion == "" || o.Kind == "":
		c.other = true
		if depth > 0 || (o.APIVersion != "" || o.Kind != "") && resemblesObject(at) {
			c.problem(at, "an object needs both apiVersion and kind, and this one does not have them")
		}
	case strings.HasSuffix(o.Kind, "List") && items.Node != nil && items.Node.Kind == List:
		if depth >= maxLists {
			c.problem(at, fmt.Sprintf("lists lie in one another more than %d deep", maxLists))
			return
		}
		itemKind := strings.TrimSuffix(o.Kind, "List")
		for _, item := range items.Items() {
			c.add(NewPlace(item.Node), o.APIVersion, itemKind, depth+1)
		}
	default:
		c.objects = append(c.objects, o)
	}
}

// resemblesObject reports whether what has only one of apiVersion and kind is
// an object all the same, by what every object is made of: many other tools
// have a field of one of these names in their files.
func resemblesObject(at *Place) bool {
	for _, key := range []string{"metadata", "spec"} {
		if n := at.At(key).Node; n != nil && (n.Kind == Map || n.Kind == Null) {
			return true
		}
	}
	return slices.ContainsFunc(at.At("items").Items(), func(item *Place) bool {
		return item.At("metadata").Node != nil || item.At("kind").Node != nil
	})
}

func (c *collector) problem(at *Place, message string) {
	c.problems = append(c.problems, Problem{Span: at.Span(), Message: message, Subject: message})
}

// TaskDefinition is the kind, and ECS the API version, that stand for an
// Amazon ECS task definition, which is JSON without either.
const (
	TaskDefinition = "TaskDefinition"
	ECS            = "ecs.amazonaws.com/v1"
)

// taskDefinition takes in an ECS task definition, plain or as the AWS command
// line prints it.
func (c *collector) taskDefinition(at *Place) bool {
	if inner := at.At("taskDefinition"); inner.At("containerDefinitions").Exists() {
		at = NewPlace(inner.Node)
	}
	containers := at.At("containerDefinitions")
	if containers.Node == nil || containers.Node.Kind != List {
		return false
	}
	c.objects = append(c.objects, &Object{
		File: c.doc.Path, Document: c.doc, Root: at,
		APIVersion: ECS, Kind: TaskDefinition, Name: at.At("family").Text(),
	})
	return true
}
